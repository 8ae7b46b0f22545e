// What only a process of its own can show.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { answers } from './answers.ts';
import { fakeDaemon } from './fake-daemon.ts';

const SLTV = join(import.meta.dirname, '../../../sltv.ts');

const start = (addr: string, ...words: readonly string[]) =>
  spawn(process.execPath, [SLTV, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env: { SLTV_ADDR: addr } });

test('a command prints, and ends by itself', async () => {
  await using daemon = await fakeDaemon(answers);
  const child = start(daemon.addr, 'disk', 'list');
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  assert.match(out, 'web1  vg-sltv  thin');
  assert.is(err, '');
  assert.is(code, 0);
});

test('a pipe whose reader has gone is no error', async () => {
  await using daemon = await fakeDaemon(answers);
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  daemon.answer('Sltv/ListDisks', { after: closed, answer: daemon.recorded('Sltv/ListDisks') });
  const child = start(daemon.addr, 'disk', 'list');
  const ended = Promise.all([text(child.stderr), once(child, 'exit')]);
  await daemon.next();
  child.stdout.destroy();
  await once(child.stdout, 'close');
  close();
  const [err, [code]] = await ended;
  assert.is(err, '');
  assert.is(code, 0);
});

test('Ctrl-C ends a command that waits, with 130', async () => {
  await using daemon = await fakeDaemon({ 'Sltv/ListDisks': { silence: true } });
  const child = start(daemon.addr, 'disk', 'list');
  const ended = Promise.all([text(child.stderr), once(child, 'exit')]);
  await daemon.next();
  child.kill('SIGINT');
  const [err, [code]] = await ended;
  assert.match(err, '[core/cancelled]');
  assert.is(code, 130);
});

test('Ctrl-C ends a list that is watched, between two answers, with 0', async () => {
  await using daemon = await fakeDaemon(answers);
  const child = start(daemon.addr, 'disk', 'list', '--watch');
  const ended = Promise.all([text(child.stderr), once(child, 'exit')]);
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  const [err, [code]] = await ended;
  assert.is(err, '');
  assert.is(code, 0);
});

test.run();
