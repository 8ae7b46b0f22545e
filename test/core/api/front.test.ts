// Connections as clients really make them: in pieces, half, badly, and with both versions of HTTP on one socket.
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { createConnection, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { raw } from './raw.ts';
import { startTrial, type Trial } from './trial.ts';

const test = suite<{ trial: Trial }>('a listener');
test.before(async (context) => {
  context.trial = await startTrial();
});
test.after(async ({ trial }) => await trial[Symbol.asyncDispose]());

const LIST = '/sltv.v1.Sltv/ListDisks';
const REQUEST = `POST ${LIST} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n`;

async function sent(socket: Socket, bytes: string): Promise<void> {
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  // The daemon reads what was written before it hears of anything written after the loop has turned.
  await new Promise(setImmediate);
}

async function overHttp2(path: string): Promise<string> {
  const session = connectHttp2('http://localhost', { createConnection: () => createConnection(path) });
  const call = session.request({ ':method': 'POST', ':path': LIST, 'content-type': 'application/json' });
  call.end('{}');
  const answer = await text(call);
  session.close();
  return answer;
}

test('HTTP/1.1 and HTTP/2 are answered on one socket', async ({ trial }) => {
  assert.equal((await raw(trial.path, LIST, { body: '{}' })).json, { disks: [] });
  assert.is(await overHttp2(trial.path), '{"disks":[]}');
});

test('a request that comes byte by byte is answered', async ({ trial }) => {
  const socket = createConnection(trial.path);
  const answer = text(socket);
  for (const byte of `${REQUEST}connection: close\r\n\r\n{}`) await sent(socket, byte);
  assert.match(await answer, /^HTTP\/1\.1 200 [\s\S]*\{"disks":\[\]\}/);
});

test("HTTP/2's preface may come in pieces", async ({ trial }) => {
  const socket = createConnection(trial.path);
  const first = new Promise<Buffer>((resolve) => socket.once('data', resolve));
  for (const piece of ['P', 'RI', ' * HTTP/2.0\r\n\r\nSM\r\n\r\n']) await sent(socket, piece);
  // A settings frame: its length, then type 4.
  assert.is((await first)[3], 4);
  socket.destroy();
});

test("a stream ends with its client's connection, also when nothing was said before it closed", async () => {
  await using trial = await startTrial();
  const socket = createConnection(trial.path);
  const session = connectHttp2('http://localhost', { createConnection: () => socket });
  const call = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Watch',
    'content-type': 'application/connect+json',
  });
  for (const each of [session, call]) each.on('error', () => {});
  call.end(Buffer.from('\0\0\0\0\x02{}'));
  await once(call, 'data');
  socket.destroy();
  await trial.until(() => trial.finished.length === 1);
  assert.is(trial.finished[0]?.result, 'core/cancelled');
});

test('several requests share one connection', async ({ trial }) => {
  const socket = createConnection(trial.path);
  const answer = text(socket);
  await sent(socket, `${REQUEST}\r\n{}`);
  await sent(socket, `${REQUEST}connection: close\r\n\r\n{}`);
  assert.is((await answer).match(/HTTP\/1\.1 200/g)?.length, 2);
});

/** All that is said until the other side hangs up; what it left unread makes that a reset. */
async function untilClosed(socket: Socket): Promise<string> {
  let said = '';
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.on('data', (part) => {
    said += part;
  });
  await closed;
  return said;
}

for (const [title, bytes] of [
  ['says nothing', ''],
  ['says half a word', 'PO'],
  ["begins HTTP/2's preface", 'PRI'],
  ['sends half a request', REQUEST],
  ['announces more than it sends', `${REQUEST}\r\n{`],
  ['talks another language', '\u0016\u0003\u0001\u0002\u0000\u0001'],
  ['speaks a broken HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nwhat is a frame?'],
] as const) {
  test(`a client that ${title} and leaves harms nobody`, async ({ trial }) => {
    const socket = createConnection(trial.path);
    socket.on('error', () => {});
    if (bytes !== '') await sent(socket, bytes);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    socket.end();
    await closed;
    assert.is((await raw(trial.path, LIST, { body: '{}' })).status, 200);
  });
}

for (const [title, bytes, answer] of [
  ['its first word', 'PR', /^$/],
  ['the rest of its request', REQUEST, /408/],
] as const) {
  test(`a client that never sends ${title} is left in the end`, async () => {
    await using trial = await startTrial({ limits: { requestTimeout: 50 } });
    const socket = createConnection(trial.path);
    const said = untilClosed(socket);
    socket.write(bytes);
    assert.match(await said, answer);
    assert.is(trial.finished.length, 0);
  });
}

test('closing ends idle connections of both kinds', async () => {
  const trial = await startTrial();
  const idle1 = createConnection(trial.path);
  const answered = new Promise((resolve) => idle1.once('data', resolve));
  idle1.write(`${REQUEST}\r\n{}`);
  await answered;
  const idle2 = connectHttp2('http://localhost', { createConnection: () => createConnection(trial.path) });
  await new Promise((resolve) => idle2.once('remoteSettings', resolve));
  const ended = Promise.all([idle1, idle2].map((each) => new Promise((resolve) => each.once('close', resolve))));
  await trial.close(1_000);
  await ended;
  await trial[Symbol.asyncDispose]();
});

test('a client that does not read its answer does not keep the daemon from closing', async () => {
  const trial = await startTrial();
  const socket = createConnection(trial.path);
  socket.pause();
  const errors: unknown[] = [];
  socket.on('error', (error) => errors.push(error));
  for (let number = 0; number < 2_000; number++) socket.write(`${REQUEST}\r\n{}`);
  await trial.until(() => trial.finished.length > 0);
  await trial.close(100);
  socket.destroy();
  await trial[Symbol.asyncDispose]();
});

test.run();
