// The client before daemons, and before what is none, over TLS: what it says when it will not go on.
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps, type ServerOptions } from 'node:https';
import { createServer as createNet, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type TlsOptions } from '../../../core/client/index.ts';
import { connect as published } from '../../../core/client/published.ts';
import type { SltvError } from '../../../core/errors.ts';
import { type Authority, type Issued, makeAuthority, selfSigned } from '../../fixtures/certificates.ts';
import { startTrial } from '../api/trial.ts';

interface Made {
  readonly folder: string;
  readonly authority: Authority;
  readonly other: Authority;
  readonly good: Issued;
  readonly client: Issued;
}

const test = suite<Made>('the client over TLS');
test.before(async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sltv-client-tls-'));
  const [authority, other] = await Promise.all([makeAuthority(folder, 'ca'), makeAuthority(folder, 'other-ca')]);
  const [good, client] = await Promise.all([
    authority.issue('good'),
    authority.issue('client', { usage: 'clientAuth' }),
  ]);
  Object.assign(context, { folder, authority, other, good, client });
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

/** What a server of that kind makes the client say. */
async function failureAt(server: Server, tls: TlsOptions, host = '127.0.0.1'): Promise<SltvError & { addr: string }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const addr = `${host}:${typeof bound === 'object' ? bound?.port : ''}`;
  try {
    await connect({ addr, tls, timeout: 5_000 }).sltv.listDisks({});
  } catch (error) {
    return Object.assign(error as SltvError, { addr });
  } finally {
    server.close();
  }
  throw new Error('it should have been refused');
}

const secure = ({ cert, key }: Issued, more: ServerOptions = {}) =>
  createHttps({ cert: readFileSync(cert), key: readFileSync(key), ...more }, (_request, response) => {
    response.setHeader('content-type', 'application/json').end('{"disks":[]}');
  });

test('a daemon whose certificate is of the authority that was named is spoken with, by address and by name', async ({
  good,
  authority,
}) => {
  const server = secure(good);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' ? bound?.port : 0;
  for (const addr of [`127.0.0.1:${port}`, `https://127.0.0.1:${port}`, `localhost:${port}`]) {
    assert.equal(await connect({ addr, tls: { ca: authority.ca } }).sltv.listDisks({}), { disks: [] });
  }
  server.close();
});

for (const [title, days, says] of [
  ['has expired', [-3, -1], 'has expired'],
  ['is not valid yet', [1, 3], 'is not valid yet'],
] as const) {
  test(`a daemon whose certificate ${title} is not spoken with`, async ({ authority }) => {
    const issued = await authority.issue(title.replaceAll(' ', '-'), { days });
    const error = await failureAt(secure(issued), { ca: authority.ca });
    assert.is(error.code, 'core/untrusted-daemon');
    assert.is(error.message, `the certificate of the daemon on ${error.addr} ${says}`);
    assert.match(error.hint ?? '', 'clock');
  });
}

test('a daemon of another authority is not spoken with, nor one of any when none was named', async ({
  good,
  other,
}) => {
  for (const tls of [{ ca: other.ca }, {}]) {
    const error = await failureAt(secure(good), tls);
    assert.is(error.code, 'core/untrusted-daemon');
    assert.is(
      error.message,
      `the certificate of the daemon on ${error.addr} is signed by no authority that is trusted here`,
    );
    assert.match(error.hint ?? '', '--tls-ca FILE or SLTV_TLS_CA');
  }
});

test('a certificate that is signed by itself is trusted only where it is named', async ({ folder, authority }) => {
  const own = await selfSigned(folder, 'self');
  const error = await failureAt(secure(own), { ca: authority.ca });
  assert.is(
    error.message,
    `the certificate of the daemon on ${error.addr} is signed by itself, and is not trusted here`,
  );
});

test("a client's certificate is none for a daemon", async ({ client, authority }) => {
  const error = await failureAt(secure(client), { ca: authority.ca });
  assert.is(error.code, 'core/untrusted-daemon');
  assert.match(error.message, 'is not made for servers');
});

test('a daemon of another name is not spoken with, until that name is said', async ({ authority }) => {
  const named = await authority.issue('named', { names: 'DNS:kvm1.example,DNS:kvm1' });
  const error = await failureAt(secure(named), { ca: authority.ca });
  assert.is(error.code, 'core/untrusted-daemon');
  assert.is(
    error.message,
    `the certificate of the daemon on ${error.addr} is for DNS:kvm1.example, DNS:kvm1, and not for 127.0.0.1`,
  );
  assert.match(error.hint ?? '', '--tls-server-name NAME');
  const other = await failureAt(secure(named), { ca: authority.ca, serverName: 'kvm2' }, 'localhost');
  assert.match(other.message, 'and not for kvm2');
  const wrong = await failureAt(
    createHttps({ cert: readFileSync(named.cert), key: readFileSync(named.key) }, (_, response) => response.end('x')),
    {
      ca: authority.ca,
      serverName: 'kvm1',
    },
  );
  assert.match(wrong.message, 'is not sltv');
});

test('NODE_TLS_REJECT_UNAUTHORIZED changes nothing', async ({ good, other }) => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    assert.is((await failureAt(secure(good), { ca: other.ca })).code, 'core/untrusted-daemon');
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  }
});

test('what speaks only old TLS is not spoken with', async ({ good, authority }) => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  const error = await failureAt(secure(good, old), { ca: authority.ca });
  assert.is(error.message, `what answers on ${error.addr} speaks only versions of TLS before 1.2`);
});

for (const [title, server] of [
  ['plain HTTP', () => createHttp((_request, response) => response.end('hello'))],
  ['another language', () => createNet((socket) => socket.end('SSH-2.0-OpenSSH_9\r\n'))],
] as const) {
  test(`what speaks ${title} is never spoken with in plain`, async ({ authority }) => {
    let heard = '';
    const made: Server = server();
    made.on('connection', (socket) => socket.on('data', (part: Buffer) => (heard += part.toString('latin1'))));
    const error = await failureAt(made, { ca: authority.ca });
    assert.is(error.code, 'core/no-daemon');
    assert.is(error.message, `what answers on ${error.addr} does not speak TLS, and sltv speaks nothing else over TCP`);
    assert.not.match(heard, 'sltv.v1');
  });
}

test('what hangs up in the handshake is said to have gone', async ({ authority }) => {
  const error = await failureAt(
    createNet((socket) => socket.destroy()),
    { ca: authority.ca },
  );
  assert.is(error.kind, 'unavailable');
});

test('where nobody listens, the hint looks at that host', async ({ authority }) => {
  const error = await connect({ addr: '127.0.0.1:1', tls: { ca: authority.ca } })
    .sltv.listDisks({})
    .catch((reason) => reason);
  assert.is(error.code, 'core/no-daemon');
  assert.is(error.message, 'no daemon answers on 127.0.0.1:1');
  assert.match(error.hint, 'a listener with tcp');
});

for (const protocol of ['json', 'grpc'] as const) {
  test(`over ${protocol} a daemon’s own words about a certificate come through`, async ({
    good,
    authority,
    client,
    other,
  }) => {
    await using trial = await startTrial({ tcp: [{ tls: { ...good, ca: authority.ca } }] });
    const addr = `127.0.0.1:${trial.ports[0]}`;
    const failure = (tls: TlsOptions) =>
      published({ addr, tls, protocol })
        .sltv.listDisks({})
        .catch((reason) => reason);
    const none = await failure({ ca: authority.ca });
    assert.is(none.code, 'core/bad-certificate');
    assert.match(none.message, 'serves clients with a certificate, and this one showed none');
    const stranger = await other.issue('stranger', { usage: 'clientAuth' });
    assert.match((await failure({ ca: authority.ca, ...stranger })).message, 'is signed by CN=other-ca');
    const { sltv, plugins } = published({ addr, tls: { ca: authority.ca, ...client }, protocol });
    assert.equal(await sltv.listDisks({}), { disks: [] });
    const counted: unknown[] = [];
    for await (const result of plugins.watch('trial count', { to: 2 })) counted.push(result);
    assert.equal(counted, [{ number: 1 }, { number: 2 }]);
  });
}

test('over gRPC a daemon of another authority, or of none, is not spoken with', async ({ good, other, authority }) => {
  await using trial = await startTrial({ tcp: [{ tls: { ...good, ca: authority.ca } }] });
  const addr = `127.0.0.1:${trial.ports[0]}`;
  const failure = (tls: TlsOptions) =>
    published({ addr, tls, protocol: 'grpc', timeout: 5_000 })
      .sltv.listDisks({})
      .catch((reason) => reason);
  assert.is((await failure({ ca: other.ca })).code, 'core/untrusted-daemon');
  assert.is((await failure({})).code, 'core/untrusted-daemon');
  assert.is((await failure({ ca: '/nowhere/ca.pem' })).code, 'core/tls-file');
});

test('a renewed certificate is the next call’s', async ({ good, authority, client, folder }) => {
  await using trial = await startTrial({ tcp: [{ tls: { ...good, ca: authority.ca } }] });
  const [cert, key] = [join(folder, 'mine.pem'), join(folder, 'mine.key')];
  const expired = await authority.issue('old', { usage: 'clientAuth', days: [-3, -1] });
  copyFileSync(expired.cert, cert);
  copyFileSync(expired.key, key);
  const { sltv } = connect({ addr: `127.0.0.1:${trial.ports[0]}`, tls: { ca: authority.ca, cert, key } });
  assert.match((await sltv.listDisks({}).catch((reason) => reason)).message, 'ended on');
  copyFileSync(client.cert, cert);
  copyFileSync(client.key, key);
  assert.equal(await sltv.listDisks({}), { disks: [] });
});

test('files that can not be used are named before anything is sent', async ({ client, good, authority }) => {
  const failure = (tls: TlsOptions) =>
    connect({ addr: '127.0.0.1:1', tls })
      .sltv.listDisks({})
      .catch((reason) => reason);
  assert.is((await failure({ ca: '/nowhere/ca.pem' })).code, 'core/tls-file');
  assert.match((await failure({ cert: client.cert, key: good.key })).message, 'is not that of the certificate');
  assert.match((await failure({ ca: authority.ca, cert: client.key, key: client.cert })).message, 'has a private key');
});

test.run();
