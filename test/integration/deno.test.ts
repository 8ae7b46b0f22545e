// What Deno has to permit is what docs/deno.md says, and none of it can be left out. What works with it is in smoke.ts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { clientPermissions, denoClient, denoDaemon } from '../fixtures/deno.ts';
import { IMPORTS, startDaemon, within } from '../fixtures/executable.ts';
import { run } from '../fixtures/ways.ts';

test('a client is told which permission it lacks, and that nothing was asked', async () => {
  await using folder = await trustedFolder();
  const socket = join(folder.path, 'socket');
  const all = clientPermissions(socket);
  for (const missing of all) {
    const permissions = all.filter((each) => each !== missing);
    const words = denoClient(socket, permissions);
    const { code, stderr } = await run(words, ['disk', 'list'], { SLTV_ADDR: `unix://${socket}` });
    assert.is(code, 8, stderr);
    assert.match(stderr, `hint: deno run ${missing.split('=')[0]} …`);
    assert.match(stderr, '[core/denied]');
  }
});

const EVERYTHING = ['env', 'net', 'read', 'write', 'run', 'sys', 'ffi', 'import'].map((name) => `--allow-${name}`);

test('a daemon starts with all of the permissions that --allow-all stands for', async () => {
  await using folder = await trustedFolder();
  await using daemon = await startDaemon(denoDaemon(EVERYTHING), writeConfig(folder.path));
  assert.is(await daemon.stop(), 0);
});

for (const missing of EVERYTHING) {
  test(`a daemon without ${missing} is told so, and does not start`, async () => {
    await using folder = await trustedFolder();
    const permissions = EVERYTHING.filter((each) => each !== missing);
    const words = ['daemon', '--config', writeConfig(folder.path)];
    const { code, stderr } = await run(denoDaemon(permissions), words);
    assert.is(code, 8, stderr);
    // What Deno asks all of them for names none.
    assert.match(stderr, new RegExp(`hint: deno run (${missing}|--allow-all) …`));
    assert.not.match(stderr, '"ready"');
  });
}

function writeConfig(folder: string): string {
  const config = join(folder, 'sltv.config.mjs');
  writeFileSync(config, `${IMPORTS}export default defineConfig({ ${within(folder)}, plugins: [dir()] });`);
  return config;
}

test.run();
