import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlive, startOf } from '../../../plugins/etcd-lock/processes.ts';

test('a process lives until it ends', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const started = (await startOf(pid)) ?? '';
  assert.match(started, /^\d+$/);
  assert.is(await isAlive({ pid, started }), true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.is(await isAlive({ pid, started }), false);
});

test('a later process with the same pid is another one', async () => {
  assert.is(await isAlive({ pid: process.pid, started: '1' }), false);
});

test('a name with spaces and brackets is no hindrance', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sltv-process-'));
  const path = join(folder, 'a) (b');
  copyFileSync('/bin/sleep', path);
  const child = spawn(path, ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  assert.match((await startOf(child.pid ?? 0)) ?? '', /^\d+$/);
  child.kill('SIGKILL');
  await once(child, 'exit');
  rmSync(folder, { recursive: true });
});

test('a dead process that nobody has waited for is dead', async () => {
  // The shell ends its child without waiting for it, and tells its pid.
  const parent = spawn('/bin/sh', ['-c', 'sleep 60 & echo $!; kill -9 $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(String(line));
  while ((await startOf(pid)) !== undefined) await new Promise((resolve) => setImmediate(resolve));
  process.kill(pid, 0);
  assert.is(await startOf(pid), undefined);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
});

test.run();
