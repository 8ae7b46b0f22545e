import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lockFile } from '../../../core/run/lock-file.ts';
import { daemonThat, errorOf, gate, house, killed, never, quick } from './house.ts';

test('a lock file has one holder, in one process as among many', async () => {
  await using here = await house();
  const path = join(here.directory, 'lock');
  const first = await lockFile(path, never);
  const order: string[] = [];
  const second = lockFile(path, never).then((held) => {
    order.push('second in');
    return held;
  });
  const { code } = await here.run.read('flock', ['-xn', path, 'true'], quick);
  assert.is(code, 1);
  order.push('first out');
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
  assert.equal(order, ['first out', 'second in']);
  assert.is((await here.run.read('flock', ['-xn', path, 'true'], quick)).code, 0);
});

test('waiting for a lock file ends with its signal', async () => {
  await using here = await house();
  const path = join(here.directory, 'lock');
  await using _held = await lockFile(path, never);
  assert.is((await errorOf(lockFile(path, AbortSignal.timeout(50)))).kind, 'timeout');
  assert.is((await errorOf(lockFile(path, AbortSignal.abort()))).kind, 'cancelled');
});

test('a lock file is free when its holder was killed', async () => {
  await using here = await house();
  const path = join(here.directory, 'lock');
  const begun = gate(here.directory, 'begun');
  const daemon = daemonThat(`lockFile(${JSON.stringify(path)}, new AbortController().signal)
    .then(() => import('node:fs').then((fs) => fs.writeFileSync(${JSON.stringify(begun.path)}, 'held')))
    .then(() => setInterval(() => {}, 1000))`);
  assert.is(await readFile(begun.path, 'utf8'), 'held');
  assert.is((await here.run.read('flock', ['-xn', path, 'true'], quick)).code, 1);
  await killed(daemon);
  await (await lockFile(path, never))[Symbol.asyncDispose]();
});

test.run();
