// What nobody may take from the others, on every kind of listener: each abuse ends, and the next caller is served.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { definePlugin } from '../../../core/kernel/plugin.ts';
import { verb } from '../../../core/kernel/verb.ts';
import { type Issued, makeAuthority } from '../../fixtures/certificates.ts';
import { startTrial, type Trial, type TrialOptions } from './trial.ts';

interface Files {
  readonly folder: string;
  readonly ca: string;
  readonly server: Issued;
  readonly client: Issued;
}

interface Way {
  start(files: Files, limits: TrialOptions['limits']): Promise<Trial>;
  /** A connection that is there. */
  open(files: Files, trial: Trial, protocol?: 'h2' | 'http/1.1'): Promise<Socket>;
}

const WAYS: Readonly<Record<string, Way>> = {
  'a Unix socket': {
    start: (_files, limits = {}) => startTrial({ limits, more: [flood()] }),
    async open(_files, { path }) {
      const socket = createConnection(path);
      await once(socket, 'connect');
      return socket;
    },
  },
  'a TCP port': {
    start: ({ server, ca }, limits = {}) => startTrial({ limits, more: [flood()], tcp: [{ tls: { ...server, ca } }] }),
    async open({ ca, client }, { ports: [port] }, protocol = 'http/1.1') {
      const [cert, key] = [readFileSync(client.cert), readFileSync(client.key)];
      const socket = connectTls({
        host: '127.0.0.1',
        port,
        ca: readFileSync(ca),
        cert,
        key,
        ALPNProtocols: [protocol],
      });
      await once(socket, 'secureConnect');
      return socket;
    },
  },
};

/** Says much, without end. */
const flood = definePlugin({
  name: 'flood',
  api: 1,
  verbs: {
    'flood watch': verb({
      about: 'says much, without end',
      example: 'sltv flood watch',
      role: 'viewer',
      args: {},
      options: {},
      gives: 'stream',
      result: { text: { type: 'text', about: 'much' } },
    }),
  },
  setup: () => ({
    verbs: {
      'flood watch': async function* () {
        while (true) yield { text: 'x'.repeat(100_000) };
      },
    },
  }),
});

const LIST = '/sltv.v1.Sltv/ListDisks';
const CALL = '/sltv.v1.PluginService/Call';
const WATCH = '/sltv.v1.PluginService/Watch';

const post = (path: string, body: string, more = '') =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;

/** A frame of HTTP/2, by the number of its type. */
const frame = (type: number, flags: number, stream: number, payload: readonly number[]): Buffer =>
  Buffer.from([0, 0, payload.length, type, flags, 0, 0, stream >> 8, stream & 0xff, ...payload]);

/** The client's first words, and its settings: none. */
const PREFACE = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, [])]);

/** Not `once`, which fails at an error. */
const closing = (what: { once(event: 'close', listener: () => void): unknown }): Promise<void> =>
  new Promise((resolve) => what.once('close', resolve));

/** All that comes until the other side hangs up; what it left unread makes that a reset. */
async function untilClosed(socket: Socket): Promise<string> {
  let said = '';
  socket.on('error', () => {});
  socket.on('data', (part) => {
    said += part;
  });
  if (!socket.destroyed) await closing(socket);
  return said;
}

for (const [name, way] of Object.entries(WAYS)) {
  const test = suite<Files>(`limits of ${name}`);
  test.before(async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'sltv-limits-'));
    const authority = await makeAuthority(folder, 'ca');
    const [server, client] = await Promise.all([
      authority.issue('server'),
      authority.issue('client', { usage: 'clientAuth' }),
    ]);
    Object.assign(context, { folder, ca: authority.ca, server, client });
  });
  test.after(({ folder }) => rmSync(folder, { recursive: true }));

  /** One request on a connection of its own, as HTTP wrote the answer. */
  const ask = async (files: Files, trial: Trial, request: string): Promise<string> => {
    const socket = await way.open(files, trial);
    const answer = untilClosed(socket);
    socket.write(request);
    return await answer;
  };
  const isServed = async (files: Files, trial: Trial) =>
    assert.match(
      await ask(files, trial, post(LIST, '{}', 'connection: close\r\n')),
      /^HTTP\/1\.1 200 [\s\S]*\{"disks":\[\]\}/,
    );

  const session = async (files: Files, trial: Trial): Promise<ClientHttp2Session> => {
    const socket = await way.open(files, trial, 'h2');
    const made = connectHttp2('http://localhost', { createConnection: () => socket });
    made.on('error', () => {});
    await once(made, 'remoteSettings');
    return made;
  };
  const stream = (on: ClientHttp2Session, path: string, type = 'application/json'): ClientHttp2Stream => {
    const call = on.request({ ':method': 'POST', ':path': path, 'content-type': type });
    call.on('error', () => {});
    return call;
  };
  /** A call that goes on until it is released. */
  const wait = async (on: ClientHttp2Session, trial: Trial): Promise<ClientHttp2Stream> => {
    const before = trial.seen.length;
    const call = stream(on, CALL);
    call.end('{"words":"trial wait"}');
    await trial.until(() => trial.seen.length > before);
    return call;
  };

  test('a message that is too large is refused by name', async (files) => {
    await using trial = await way.start(files, { messageSize: '1K' });
    const answer = await ask(
      files,
      trial,
      post('/sltv.v1.Sltv/GetDisk', JSON.stringify({ name: 'x'.repeat(2000) }), 'connection: close\r\n'),
    );
    assert.match(answer, '"code":"resource_exhausted"');
    assert.match(answer, 'this request has more bytes than the daemon takes');
    await isServed(files, trial);
  });

  test('headers that are too large are refused, in both versions of HTTP', async (files) => {
    await using trial = await way.start(files, { headerSize: '2K' });
    assert.match(await ask(files, trial, post(LIST, '{}', `x: ${'x'.repeat(4000)}\r\n`)), /^HTTP\/1\.1 431 /);
    const on = await session(files, trial);
    assert.is(on.remoteSettings.maxHeaderListSize, 2048);
    const call = on.request({
      ':method': 'POST',
      ':path': LIST,
      'content-type': 'application/json',
      x: 'x'.repeat(4000),
    });
    call.on('error', () => {});
    call.end('{}');
    await closing(call);
    assert.is.not(call.rstCode, 0);
    assert.is(trial.finished.length, 0);
    on.destroy();
    await isServed(files, trial);
  });

  test('with all connections busy, one more is told so, and is served when one ends', async (files) => {
    await using trial = await way.start(files, { connections: 2 });
    const busy = [await session(files, trial), await session(files, trial)];
    for (const on of busy) await wait(on, trial);
    const answer = await ask(files, trial, post(LIST, '{}'));
    assert.match(answer, /^HTTP\/1\.1 503 /);
    assert.match(answer, 'has 2 connections, all of them with calls in hand, and takes no more');
    const [first] = busy;
    first?.destroy();
    await trial.until(() => trial.finished.length === 1);
    await isServed(files, trial);
    for (const on of busy) on.destroy();
  });

  test('the connection that is idle longest makes way for a new one', async (files) => {
    await using trial = await way.start(files, { connections: 2 });
    const [first, second] = [await session(files, trial), await session(files, trial)];
    const closed = closing(first);
    await isServed(files, trial);
    await closed;
    assert.is(second.closed || second.destroyed, false);
    second.destroy();
  });

  test('with as many calls in hand as may be, one more is refused at once', async (files) => {
    await using trial = await way.start(files, { calls: 2 });
    const on = await session(files, trial);
    const waiting = [await wait(on, trial), await wait(on, trial)];
    const answer = await ask(files, trial, post(LIST, '{}', 'connection: close\r\n'));
    assert.match(answer, /^HTTP\/1\.1 503 /);
    assert.match(answer, '"code":"unavailable"');
    assert.match(answer, 'the daemon has 2 calls in hand, which is as many as it takes');
    const answers = waiting.map((call) => text(call));
    trial.release();
    await Promise.all(answers);
    await isServed(files, trial);
    on.destroy();
  });

  test('an HTTP/2 client is told how many calls it may have', async (files) => {
    await using trial = await way.start(files, { callsPerConnection: 3 });
    const on = await session(files, trial);
    assert.is(on.remoteSettings.maxConcurrentStreams, 3);
    on.destroy();
  });

  for (const [title, bytes, answer] of [
    ['its first word', 'P', /^$|408/],
    ['its headers', `POST ${LIST} HTTP/1.1\r\nhost: x\r\n`, /408/],
    ['its body', post(LIST, '{}').slice(0, -1), /408/],
  ] as const) {
    test(`who sends ${title} byte by byte is left`, async (files) => {
      await using trial = await way.start(files, { requestTimeout: 1000 });
      const socket = await way.open(files, trial);
      const said = untilClosed(socket);
      socket.write(bytes);
      assert.match(await said, answer);
      assert.is(trial.finished.length, 0);
      await isServed(files, trial);
    });
  }

  test('who sends the body of a call over HTTP/2 too slowly is told so, and the connection goes on', async (files) => {
    await using trial = await way.start(files, { requestTimeout: 1000 });
    const on = await session(files, trial);
    const call = stream(on, LIST);
    call.write('{');
    assert.match(await text(call), 'the request was not there within 1 s');
    const next = stream(on, LIST);
    next.end('{}');
    assert.is(await text(next), '{"disks":[]}');
    on.destroy();
  });

  test('a connection without a call is ended after its time, in both versions of HTTP', async (files) => {
    await using trial = await way.start(files, { idleTimeout: 1000 });
    const idle1 = await way.open(files, trial);
    const said = untilClosed(idle1);
    idle1.write(post(LIST, '{}'));
    assert.match(await said, /200/);
    const idle2 = await session(files, trial);
    await closing(idle2);
    await isServed(files, trial);
  });

  test('a connection with a call is not ended for being quiet', async (files) => {
    await using trial = await way.start(files, { idleTimeout: 1000 });
    const [busy, idle] = [await session(files, trial), await session(files, trial)];
    const call = await wait(busy, trial);
    const answer = text(call);
    await closing(idle);
    trial.release();
    assert.is(await answer, '{"results":[]}');
    busy.destroy();
  });

  test('who does not read a stream is dropped, in both versions of HTTP', async (files) => {
    await using trial = await way.start(files, { unreadTimeout: 100 });
    const payload = Buffer.from(JSON.stringify({ words: 'flood watch', input: {} }));
    const envelope = Buffer.concat([Buffer.from([0, 0, 0, 0, payload.length]), payload]);
    const socket = await way.open(files, trial);
    socket.on('error', () => {});
    socket.pause();
    socket.write(
      `POST ${WATCH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/connect+json\r\ncontent-length: ${envelope.length}\r\n\r\n`,
    );
    socket.write(envelope);
    await trial.until(() => trial.finished.length === 1);
    socket.destroy();
    const on = await session(files, trial);
    const call = stream(on, WATCH, 'application/connect+json');
    call.pause();
    call.end(envelope);
    await trial.until(() => trial.finished.length === 2);
    assert.equal(
      trial.finished.map(({ result }) => result),
      ['core/cancelled', 'core/cancelled'],
    );
    on.destroy();
    await isServed(files, trial);
  });

  test('who resets calls as fast as they are made is left', async (files) => {
    await using trial = await way.start(files, { unreadTimeout: 100 });
    const socket = await way.open(files, trial, 'h2');
    const closed = untilClosed(socket);
    socket.write(PREFACE);
    // POST / over http, as HPACK's own table has them; then the reset.
    const call = (id: number) => [frame(1, 0b101, id, [0x83, 0x86, 0x84]), frame(3, 0, id, [0, 0, 0, 8])];
    socket.write(Buffer.concat(Array.from({ length: 2000 }, (_, each) => call(2 * each + 1)).flat()));
    await closed;
    await isServed(files, trial);
  });

  test('who pings without reading the answers is left', async (files) => {
    await using trial = await way.start(files, { idleTimeout: 1000 });
    const socket = await way.open(files, trial, 'h2');
    const closed = closing(socket);
    socket.on('error', () => {});
    socket.pause();
    socket.write(PREFACE);
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])));
    const flood = () => {
      // Other things have their turn in between: in one process with the daemon they are the daemon's.
      if (!socket.destroyed) socket.write(pings, () => setImmediate(flood));
    };
    flood();
    await closed;
    await isServed(files, trial);
  });

  test('hundreds of idle connections keep nobody waiting', async (files) => {
    await using trial = await way.start(files, { connections: 300 });
    const idle: Socket[] = [];
    for (let count = 0; count < 400; count++) {
      const socket = await way.open(files, trial);
      socket.on('error', () => {});
      idle.push(socket);
    }
    await isServed(files, trial);
    for (const socket of idle) socket.destroy();
  });

  test.run();
}
