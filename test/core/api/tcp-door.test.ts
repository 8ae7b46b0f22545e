// Who is served over TCP and who is not, and what those are told. The answers go by HTTP/1.1 here; test/integration has gRPC's.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Authority, type Issued, makeAuthority, selfSigned } from '../../fixtures/certificates.ts';
import { startTrial, type Trial } from './trial.ts';

interface Made {
  readonly folder: string;
  readonly authority: Authority;
  readonly server: Issued;
  readonly clients: Readonly<Record<'good' | 'monitor' | 'expired' | 'early' | 'stranger' | 'self' | 'server', Issued>>;
}

const test = suite<Made>('a TCP listener');
test.before(async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sltv-tcp-'));
  const [authority, other] = await Promise.all([makeAuthority(folder, 'ca'), makeAuthority(folder, 'other-ca')]);
  const client = { usage: 'clientAuth' } as const;
  const [server, good, monitor, stranger, self] = await Promise.all([
    authority.issue('server'),
    authority.issue('good', client),
    authority.issue('monitor', { ...client, subject: '/O=Example/CN=monitor' }),
    other.issue('stranger', client),
    selfSigned(folder, 'self'),
  ]);
  const expired = await authority.issue('expired', { ...client, days: [-3, -1] });
  const early = await authority.issue('early', { ...client, days: [1, 3] });
  const clients = { good, monitor, expired, early, stranger, self, server };
  Object.assign(context, { folder, authority, server, clients });
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

const tlsOf = ({ server, authority }: Made) => ({ ...server, ca: authority.ca });
const pem = ({ cert, key }: Issued) => ({ cert: readFileSync(cert), key: readFileSync(key) });

interface Said {
  readonly status: number;
  // What JSON.parse gives; each test says what it expects of it.
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into it.
  readonly json: any;
}

async function ask(
  trial: Trial,
  made: Made,
  client: Issued | undefined,
  method = 'Sltv/ListDisks',
  body = '{}',
): Promise<Said> {
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
  const call = request({
    host: '127.0.0.1',
    port: trial.ports[0],
    path: `/sltv.v1.${method}`,
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json' },
    ca: readFileSync(made.authority.ca),
    ...(client ? pem(client) : {}),
  });
  call.on('response', resolve).on('error', reject).end(body);
  const response = await promise;
  return { status: response.statusCode ?? 0, json: JSON.parse(await text(response)) };
}

const warnings = ({ lines }: Trial) => lines.filter(({ level }) => level === 'warn');

test('who has a certificate of the authority is served, by both versions of HTTP', async (made) => {
  await using trial = await startTrial({ tcp: [{ tls: tlsOf(made) }] });
  assert.equal(await ask(trial, made, made.clients.good), { status: 200, json: { disks: [] } });
  const session = connectHttp2(`https://127.0.0.1:${trial.ports[0]}`, {
    ca: readFileSync(made.authority.ca),
    ...pem(made.clients.good),
  });
  const call = session.request({
    ':method': 'POST',
    ':path': '/sltv.v1.Sltv/ListDisks',
    'content-type': 'application/json',
  });
  call.end('{}');
  assert.is(await text(call), '{"disks":[]}');
  session.close();
  assert.equal(warnings(trial), []);
});

test('a call is logged with the certificate that made it', async (made) => {
  await using trial = await startTrial({ tcp: [{ tls: tlsOf(made) }] });
  await ask(trial, made, made.clients.monitor);
  await trial.until(() => trial.finished.length === 1);
  assert.is(trial.finished[0]?.caller, `the certificate O=Example, CN=monitor at tcp:127.0.0.1:${trial.ports[0]}`);
});

for (const [who, sentence, hint] of [
  [undefined, /serves clients with a certificate, and this one showed none$/, /--tls-cert FILE --tls-key FILE/],
  ['expired', /^the client certificate CN=expired ended on \w+ +\d+ .* GMT$/, /make a new one/],
  ['early', /^the client certificate CN=early begins only on \w+ +\d+ .* GMT$/, /clock/],
  [
    'stranger',
    /^the client certificate CN=stranger is signed by CN=other-ca, which is no authority that the daemon trusts$/,
    /tls.ca/,
  ],
  ['self', /^the client certificate CN=self is signed by itself/, /authority/],
  ['server', /^the client certificate CN=server is not made for clients$/, /clientAuth/],
] as const) {
  test(`a client with ${who === undefined ? 'no' : `a ${who}`} certificate is told so, and the log once`, async (made) => {
    await using trial = await startTrial({ tcp: [{ tls: tlsOf(made) }] });
    for (let times = 0; times < 2; times++) {
      const { status, json } = await ask(trial, made, who && made.clients[who]);
      assert.is(status, 403);
      assert.is(json.code, 'permission_denied');
      assert.match(json.message, sentence);
      assert.match(Buffer.from(json.details[0].value, 'base64').toString(), hint);
    }
    assert.is(trial.finished.length, 0);
    const said = warnings(trial);
    assert.is(said.length, 1);
    assert.is(said[0]?.peer, '127.0.0.1');
    assert.match(String(said[0]?.why), sentence);
    assert.is((await ask(trial, made, made.clients.good)).status, 200);
  });
}

test('who is told why they are not served can not go on on that connection', async (made) => {
  await using trial = await startTrial({ tcp: [{ tls: tlsOf(made) }] });
  const session = connectHttp2(`https://127.0.0.1:${trial.ports[0]}`, { ca: readFileSync(made.authority.ca) });
  const closed = new Promise((resolve) => session.once('close', resolve));
  const call = session.request({
    ':method': 'POST',
    ':path': '/sltv.v1.Sltv/ListDisks',
    'content-type': 'application/json',
  });
  call.end('{}');
  assert.match(await text(call), 'permission_denied');
  await closed;
  assert.is(trial.finished.length, 0);
});

function handshake(port: number | undefined, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
    socket.once('error', (error) => resolve(String('code' in error ? error.code : error.message)));
    socket.once('secureConnect', () => {
      resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
      socket.destroy();
    });
  });
}

for (const version of ['TLSv1', 'TLSv1.1'] as const) {
  test(`a client that speaks ${version} at most is refused, and the log says why`, async (made) => {
    await using trial = await startTrial({ tcp: [{ tls: tlsOf(made) }] });
    const old = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    assert.match(await handshake(trial.ports[0], old), /ALERT_PROTOCOL_VERSION/);
    assert.match(String(warnings(trial)[0]?.why), 'only versions of TLS before 1.2');
  });
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version} is spoken, with HTTP/2 where the client has it`, async (made) => {
    await using trial = await startTrial({ tcp: [{ tls: tlsOf(made) }] });
    const one = { minVersion: version, maxVersion: version } as const;
    assert.is(await handshake(trial.ports[0], { ...one, ALPNProtocols: ['h2', 'http/1.1'] }), `${version} h2`);
    assert.is(await handshake(trial.ports[0], { ...one, ALPNProtocols: ['http/1.1'] }), `${version} http/1.1`);
    assert.is(await handshake(trial.ports[0], one), `${version} false`);
  });
}

test('who speaks HTTP without TLS is told to speak TLS, in HTTP', async (made) => {
  await using trial = await startTrial({ tcp: [{ tls: tlsOf(made) }] });
  const socket = createConnection(trial.ports[0] ?? 0, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const answer = await text(socket);
  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.match(answer, `tcp:127.0.0.1:${trial.ports[0]} speaks TLS only, and this came without`);
  assert.match(String(warnings(trial)[0]?.why), 'without TLS');
});

test('who speaks HTTP/2 without TLS is told so in gRPC', async (made) => {
  await using trial = await startTrial({ tcp: [{ tls: tlsOf(made) }] });
  const session = connectHttp2(`http://127.0.0.1:${trial.ports[0]}`);
  const call = session.request({
    ':method': 'POST',
    ':path': '/sltv.v1.Sltv/ListDisks',
    'content-type': 'application/grpc',
  });
  call.resume().end();
  const trailers = await new Promise<Record<string, unknown>>((resolve) => call.once('trailers', resolve));
  assert.is(trailers['grpc-status'], '3');
  assert.match(String(trailers['grpc-message']), 'speaks%20TLS%20only');
  session.close();
});

for (const [title, bytes] of [
  ['says nothing', ''],
  ['speaks another language', 'SSH-2.0-x\r\n'],
  ['begins a handshake', '\u0016\u0003\u0001'],
  ['sends a handshake of rubbish', `\u0016\u0003\u0001\u0000\u0010${'x'.repeat(16)}`],
] as const) {
  test(`a client that ${title} and leaves harms nobody`, async (made) => {
    await using trial = await startTrial({ tcp: [{ tls: tlsOf(made) }] });
    const socket = createConnection(trial.ports[0] ?? 0, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    socket.end(bytes, 'latin1');
    await closed;
    assert.is((await ask(trial, made, made.clients.good)).status, 200);
  });
}

test("a certificate's subject lowers what its holder may do", async (made) => {
  const roles = [{ subject: 'CN=monitor', role: 'viewer' }] as const;
  await using trial = await startTrial({ tcp: [{ tls: tlsOf(made), roles: [...roles] }] });
  const create = (client: Issued, name: string) =>
    ask(trial, made, client, 'Sltv/CreateDisk', JSON.stringify({ name, sizeBytes: 8388608 }));
  assert.is((await create(made.clients.good, 'a')).status, 200);
  const refused = await create(made.clients.monitor, 'b');
  assert.is(refused.status, 403);
  assert.match(
    refused.json.message,
    /^disk.create needs the role operator, and the certificate O=Example, CN=monitor at tcp:\S+ gives viewer$/,
  );
  assert.is((await ask(trial, made, made.clients.monitor)).status, 200);
});

test('without an authority everybody looks, which the log and the status say loudly', async (made) => {
  await using trial = await startTrial({ tcp: [{ tls: made.server, insecure: true }] });
  assert.is((await ask(trial, made, undefined)).status, 200);
  assert.is((await ask(trial, made, undefined, 'Sltv/CreateDisk', '{"name":"a","sizeBytes":8388608}')).status, 403);
  const sentence = `tcp:127.0.0.1:${trial.ports[0]} is insecure: everybody who reaches it is served as viewer, without a certificate`;
  assert.equal(
    warnings(trial).map(({ message }) => message),
    [sentence],
  );
  assert.equal((await trial.client().sltv.getNodeStatus()).remarks, [sentence]);
});

test('no session is resumed, so that every connection shows its certificate', async (made) => {
  await using trial = await startTrial({ tcp: [{ tls: tlsOf(made) }] });
  const once = (session?: Buffer) =>
    new Promise<{ session: Buffer | undefined; isReused: boolean }>((resolve, reject) => {
      let kept: Buffer | undefined;
      const socket = connectTls({
        host: '127.0.0.1',
        port: trial.ports[0],
        ca: readFileSync(made.authority.ca),
        maxVersion: 'TLSv1.2',
        ...pem(made.clients.good),
        ...(session ? { session } : {}),
      });
      socket.once('error', reject);
      socket.on('session', (each) => {
        kept = each;
      });
      socket.once('secureConnect', () => {
        const isReused = socket.isSessionReused();
        socket.once('close', () => resolve({ session: kept ?? socket.getSession(), isReused }));
        socket.end('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
        socket.resume();
      });
    });
  const first = await once();
  assert.is((await once(first.session)).isReused, false);
});

test('a port that is taken is named, and the other listeners close again', async (made) => {
  await using trial = await startTrial({ tcp: [{ tls: tlsOf(made) }] });
  const taken = `127.0.0.1:${trial.ports[0]}`;
  const error = await startTrial({ tcp: [{ tcp: taken, tls: tlsOf(made) }] }).catch((reason) => reason);
  assert.is(error.code, 'core/bad-socket');
  assert.is(error.message, `something else listens on ${taken}`);
});

test.run();
