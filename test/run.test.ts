// The runner is what every other test rests on: each way in which uvu passes silently must fail here.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const RUNNER = join(import.meta.dirname, 'run.mjs');

interface Ended {
  readonly code: number;
  readonly lines: readonly string[];
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [RUNNER, ...args], { env: { ...process.env, ...env } }, (_error, stdout) =>
      resolve({ code: child.exitCode ?? -1, lines: stdout.trimEnd().split('\n') }),
    );
  });
}

const fixture = (name: string) => `test/fixtures/run/${name}.ts`;

interface Case {
  readonly title: string;
  readonly file: string;
  readonly ends: string;
  readonly says: RegExp;
  readonly limit?: string;
}

const CASES: readonly Case[] = [
  { title: 'a file that forgot test.run()', file: 'forgets-run', ends: '0 passed, 1 failed', says: /ran no test/ },
  { title: 'a file that skips a test', file: 'skips', ends: '1 passed, 1 failed', says: /skipped 1/ },
  { title: 'a failing test', file: 'fails', ends: '1 passed, 1 failed', says: /1 of 2 tests/ },
  { title: 'a `before` that throws', file: 'before-throws', ends: '0 passed, 2 failed', says: /2 of 2 tests/ },
  { title: 'a hang', file: 'hangs', ends: '0 passed, 1 failed', says: /did not end within 2 s/, limit: '2' },
  { title: 'a process left behind', file: 'leaves-child', ends: '1 passed, 1 failed', says: /sleep 600\.25/ },
  { title: 'a bad exit status after good tests', file: 'ends-badly', ends: '1 passed, 1 failed', says: /ended with 3/ },
];

for (const { title, file, ends, says, limit = '30' } of CASES) {
  test(`${title} fails the run`, async () => {
    const { code, lines } = await run([fixture(file), '--limit', limit]);
    assert.is(code, 1);
    assert.is(lines.at(-1), ends);
    assert.match(lines.find((line) => line.startsWith('FAIL')) ?? '', says);
  });
}

test('a file whose tests all pass makes the run pass, and its tests are counted', async () => {
  const { code, lines } = await run([fixture('passes')]);
  assert.is(code, 0);
  assert.is(lines.at(-1), '2 passed, 0 failed');
});

test('a process that was left behind is ended', async () => {
  await run([fixture('leaves-child')]);
  const { code, lines } = await new Promise<Ended>((resolve) => {
    const child = execFile('pgrep', ['-f', '^sleep 600\\.25$'], (_error, stdout) =>
      resolve({ code: child.exitCode ?? -1, lines: [stdout] }),
    );
  });
  assert.equal([code, lines], [1, ['']]);
});

test('a name that is neither a layer nor a file fails the run', async () => {
  const { code, lines } = await run(['unitt']);
  assert.is(code, 1);
  assert.is(lines.at(-1), '0 passed, 1 failed');
});

test('a layer that this machine cannot run fails the run, with the reason', async () => {
  const { code, lines } = await run(['testbed'], { SLTV_TESTBED: 'unavailable:no qemu-system-x86_64' });
  assert.is(code, 1);
  assert.match(lines[0] ?? '', /no qemu-system-x86_64.*--without testbed/);
  assert.is(lines.at(-1), '0 passed, 1 failed');
});

test('a layer is left out only when it is named', async () => {
  const { lines } = await run(['testbed', fixture('passes'), '--without', 'testbed'], {
    SLTV_TESTBED: 'unavailable:no qemu-system-x86_64',
  });
  assert.is(lines.at(-1), '2 passed, 0 failed');
});

test.run();
