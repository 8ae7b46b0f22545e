import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { session } from './session.ts';

const METHOD = 'EventService/WatchEvents';
const told = (type: string, message: string, values: Readonly<Record<string, string>>) => ({
  event: {
    ...{ cursor: '', time: '2026-11-20T18:14:05.250Z', type, subject: 'web1', message },
    values: { operation: 'disk.create', requestId: 'r-17', ...values },
  },
});
const stage = 'taking room in /srv';
const HALF = told('operation.progress', `${stage}: 1 GiB of 2 GiB`, { stage, done: '1073741824', total: '2147483648' });
const WAITS = told('operation.progress', 'waiting', { stage: 'waiting for the lock' });
const DONE = told('operation.ended', 'is done', { result: 'ok', milliseconds: '1200' });
const FULL = told('operation.ended', 'failed: pool a has no room', {
  ...{ result: 'dir/no-space', kind: 'exhausted', reason: 'pool a has no room', hint: 'df -h /srv' },
});

const watching = async (stream: readonly object[], world = {}, words = 'operation watch r-17') => {
  await using shell = await session();
  shell.daemon.answer(METHOD, { stream });
  return await shell.type(words, world);
};

test('each change is a line, and the last says how it ended', async () => {
  const { out, err, code, asked } = await watching([WAITS, HALF, DONE]);
  assert.equal([err, code], ['', 0]);
  assert.equal(
    out.split('\n').map((line) => line.trim().split(/ {2,}/)),
    [
      ['TIME', 'SUBJECT', 'DONE', 'STAGE'],
      ['2026-11-20 18:14:05Z', 'web1', '-', 'waiting for the lock'],
      ['2026-11-20 18:14:05Z', 'web1', '50%', stage],
      ['2026-11-20 18:14:05Z', 'web1', '-', 'is done'],
      [''],
    ],
  );
  assert.equal(asked, [{ method: METHOD, request: { operation: 'r-17', follow: true } }]);
});

test('on a terminal it is one line with a bar', async () => {
  const { out } = await watching([HALF, DONE], { isTTY: true });
  const half = `disk.create  web1  [############------------]  50%  1 GiB of 2 GiB  ${stage}`;
  assert.is(out, `\r\x1b[K${half}\r\x1b[Kdisk.create  web1  is done\n`);
});

test('a terminal that can write nothing over gets lines', async () => {
  const { out } = await watching([DONE], { isTTY: true, env: { TERM: 'dumb' } });
  assert.not.match(out, '\x1b');
});

for (const isTTY of [true, false]) {
  test(`an operation that failed decides over the exit code ${isTTY ? 'on a terminal' : 'in a pipe'}`, async () => {
    const { out, err, code } = await watching([WAITS, FULL], { isTTY });
    assert.match(out, 'failed: pool a has no room\n');
    assert.is(err, 'sltv: pool a has no room\nhint: df -h /srv      [dir/no-space]\n');
    assert.is(code, 7);
  });
}

test('under --json each event is a line, also on a terminal', async () => {
  const { out } = await watching([HALF, DONE], { isTTY: true }, 'operation watch r-17 --json');
  assert.equal(
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [HALF, DONE],
  );
});

test('of a daemon that goes away meanwhile nothing is believed', async () => {
  const { code, err } = await watching([WAITS]);
  assert.is(code, 10);
  assert.match(err, 'told no more of operation r-17');
});

test.run();
