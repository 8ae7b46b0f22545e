// sltv/client under every runtime that it is for, over both protocols. The process ends by itself: nothing is left open.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startTrial } from '../core/api/trial.ts';
import { DENO } from '../fixtures/executable.ts';
import { run } from '../fixtures/ways.ts';

const SCRIPT = join(import.meta.dirname, '../fixtures/client-session.ts');
const BUN = createRequire(import.meta.url).resolve('@oven/bun-linux-x64-baseline/bin/bun');

const RUNTIMES = {
  Node: [process.execPath],
  Deno: [DENO, 'run', '--allow-all'],
  Bun: [BUN, 'run'],
};

for (const [name, words] of Object.entries(RUNTIMES)) {
  for (const protocol of ['json', 'grpc']) {
    test(`${name} over ${protocol}`, async () => {
      await using trial = await startTrial();
      const { code, stdout, stderr } = await run(words, [SCRIPT, trial.path, protocol]);
      assert.is(code, 0, stderr);
      assert.equal(JSON.parse(stdout), {
        sizes: ['4194304', '8388608'],
        counted: [{ number: 1 }, { number: 2 }],
        errors: [
          ['core/disk-missing', 'there is no disk größer?'],
          ['core/timeout', 'the deadline of this call has passed'],
          ['core/no-daemon', `no daemon answers on ${trial.path}.none`],
        ],
        left: 0,
      });
    });
  }
}

test.run();
