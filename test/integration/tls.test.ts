// The daemon on a TCP port, as docs/security.md says to set it up: the page's own lines are run, and clients of three makes use it.
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { playEverything } from '../core/api/scenario.ts';
import { startTrial } from '../core/api/trial.ts';
import { trustedFolder } from '../core/kernel/kit.ts';
import { IMPORTS, type OwnDaemon, ownDaemon, type } from '../fixtures/executable.ts';
import { grpcClient } from '../fixtures/grpc-client.ts';
import { judge } from '../fixtures/mistake.ts';
import { freePorts } from '../fixtures/ports.ts';

const BUF = join(import.meta.dirname, '../../node_modules/.bin/buf');
const PAGE = readFileSync(join(import.meta.dirname, '../../docs/security.md'), 'utf8');
function linesFor(what: string): string {
  const lines = new RegExp(`\`\`\`sh ${what}\n([\\s\\S]*?)\`\`\``).exec(PAGE)?.[1];
  if (lines === undefined) throw new Error(`the page has no lines for the ${what}`);
  return lines;
}

interface Made {
  readonly own: Awaited<ReturnType<typeof trustedFolder>>;
  readonly folder: string;
  readonly port: number;
  readonly daemon: OwnDaemon;
  /** What Alice has in her environment. */
  readonly alice: Readonly<Record<string, string>>;
}

const test = suite<Made>('the daemon on a TCP port');
test.before(async (context) => {
  // A config is not taken from below /tmp.
  const own = await trustedFolder();
  const folder = own.path;
  for (const what of ['ca', 'server', 'client']) {
    await execa('/bin/sh', ['-ec', linesFor(what)], { cwd: folder, timeout: 20_000 });
  }
  const [port = 0] = await freePorts(1);
  const at = (name: string) => join(folder, name);
  const tls = `tls: { cert: '${at('server.pem')}', key: '${at('server.key')}', ca: '${at('ca.pem')}' }`;
  const listen = `listen: [{ unix: '${folder}/daemon/socket' }, { tcp: '127.0.0.1:${port}', ${tls}, role: 'operator' }],`;
  const daemon = await ownDaemon(join(folder, 'daemon'), 'dir()', {}, listen);
  const alice = {
    SLTV_ADDR: `localhost:${port}`,
    SLTV_TLS_CA: at('ca.pem'),
    SLTV_TLS_CERT: at('alice.pem'),
    SLTV_TLS_KEY: at('alice.key'),
  };
  Object.assign(context, { own, folder, port, daemon, alice });
});
test.after(async ({ daemon, own }) => {
  await daemon[Symbol.asyncDispose]();
  await own[Symbol.asyncDispose]();
});

const log = ({ daemon }: Made) => daemon.log();

test('Alice does from elsewhere what she may, and no more', async ({ alice }) => {
  assert.is((await type('sltv disk create a --size 1M', alice)).code, 0);
  assert.match((await type('sltv disk list', alice)).stdout, 'a');
  assert.match(
    (await type('sltv disk list --json', { ...alice, SLTV_ADDR: `https://${alice.SLTV_ADDR}` })).stdout,
    /"name": ?"a"/,
  );
  const refused = await type('sltv pool extend disks /dev/null', alice);
  assert.is(refused.code, 8);
  assert.match(refused.stderr, 'needs the role admin, and the certificate O=Example, CN=alice at tcp:127.0.0.1');
});

test('the flags mean what the variables mean', async ({ alice }) => {
  const flags = `--addr ${alice.SLTV_ADDR} --tls-ca ${alice.SLTV_TLS_CA} --tls-cert ${alice.SLTV_TLS_CERT} --tls-key=${alice.SLTV_TLS_KEY}`;
  assert.is((await type(`sltv disk list ${flags}`)).code, 0);
  assert.is((await type(`sltv disk list ${flags} --tls-server-name kvm1`)).code, 0);
});

test('plugins’ verbs, and streams, go over it, too', async ({ alice }) => {
  assert.match((await type('sltv plugin list', alice)).stdout, 'dir');
});

test('curl does it as the page says', async ({ folder, port }) => {
  const { stdout } = await execa('/bin/sh', ['-ec', linesFor('curl').replace('8443', String(port))], {
    cwd: folder,
    timeout: 20_000,
  });
  assert.ok(Array.isArray(JSON.parse(stdout).disks));
});

test('reflection, health and gRPC-Web are there over TLS, too', async ({ folder, port }) => {
  const tls = ['--cacert', 'ca.pem', '--cert', 'alice.pem', '--key', 'alice.key'];
  // Without a schema of its own buf asks the daemon for one.
  const curl = async (protocol: string, method: string) =>
    JSON.parse(
      (await execa(BUF, ['curl', '--protocol', protocol, ...tls, `https://localhost:${port}/${method}`], {
        cwd: folder,
        timeout: 30_000,
      }).then(({ stdout }) => stdout)) || '{}',
    );
  for (const protocol of ['grpc', 'grpcweb', 'connect']) {
    assert.equal(await curl(protocol, 'grpc.health.v1.Health/Check'), { status: 'SERVING' });
    assert.ok('disks' in (await curl(protocol, 'sltv.v1.Sltv/ListDisks')));
  }
});

test('gRPC does everything over TLS with certificates on both sides', async ({ folder }) => {
  const at = (name: string) => join(folder, name);
  const tls = { cert: at('server.pem'), key: at('server.key'), ca: at('ca.pem') };
  await using trial = await startTrial({ tcp: [{ tls }] });
  const credentials = grpc.credentials.createSsl(
    ...(['ca.pem', 'alice.key', 'alice.pem'].map((name) => readFileSync(at(name))) as [Buffer, Buffer, Buffer]),
  );
  const client = grpcClient(`localhost:${trial.ports[0]}`, {}, credentials);
  await playEverything(client);
  client.raw.close();
});

test('gRPC reaches the executable with a certificate, and is told why not without', async ({ folder, port }) => {
  const at = (name: string) => readFileSync(join(folder, name));
  const ask = async (credentials: grpc.ChannelCredentials) => {
    const client = grpcClient(`localhost:${port}`, {}, credentials);
    try {
      return await client.call('ListDisks', {}, { deadline: Date.now() + 10_000 });
    } catch (error) {
      return error;
    } finally {
      client.raw.close();
    }
  };
  assert.ok('disks' in (await ask(grpc.credentials.createSsl(at('ca.pem'), at('alice.key'), at('alice.pem')))));
  const none = await ask(grpc.credentials.createSsl(at('ca.pem')));
  assert.is(none.code, grpc.status.PERMISSION_DENIED);
  assert.match(none.details, 'serves clients with a certificate, and this one showed none');
  const plain = await ask(grpc.credentials.createInsecure());
  assert.is(plain.code, grpc.status.INVALID_ARGUMENT);
  assert.match(plain.details, 'speaks TLS only');
});

test('what is wrong is said to whoever typed it', async (made) => {
  const { alice, port, folder } = made;
  const told = async (
    typed: string,
    env: Record<string, string>,
    kind: 'denied' | 'refused' | 'invalid' | 'unavailable',
    code: string,
    says: string,
    hint: string,
  ) => judge({ typed, kind, code: `core/${code}`, says, hint }, await type(typed, env));
  const { SLTV_TLS_CERT: _cert, SLTV_TLS_KEY: _key, ...nameless } = alice;
  const { SLTV_TLS_CA: _ca, ...trusting } = alice;
  await told(
    'sltv disk list',
    nameless,
    'denied',
    'bad-certificate',
    'this one showed none',
    '--tls-cert FILE --tls-key FILE',
  );
  await told(
    'sltv disk list',
    trusting,
    'refused',
    'untrusted-daemon',
    `localhost:${port} is signed by no authority that is trusted here`,
    '--tls-ca FILE',
  );
  await told(
    'sltv disk list --tls-server-name kvm9',
    alice,
    'refused',
    'untrusted-daemon',
    'is for DNS:kvm1, DNS:localhost, IP Address:127.0.0.1, and not for kvm9',
    '--tls-server-name NAME',
  );
  await told(
    `sltv disk list --addr http://localhost:${port}`,
    alice,
    'invalid',
    'input',
    'would go without TLS',
    `write localhost:${port}`,
  );
  await told(
    'sltv disk list --addr localhost:1',
    alice,
    'unavailable',
    'no-daemon',
    'no daemon answers on localhost:1',
    'a listener with tcp',
  );
  await told(
    'sltv disk list --tls-key server.key',
    { ...alice, SLTV_TLS_KEY: '' },
    'invalid',
    'tls-file',
    'there is no file server.key',
    'correct the path',
  );
  await told(
    `sltv disk list --tls-key ${folder}/server.key`,
    alice,
    'invalid',
    'tls-file',
    'is not that of the certificate',
    'openssl x509 -noout -pubkey',
  );
  const { code, stdout } = await type(`curl -s -o - -w '%{http_code}' http://localhost:${port}/`);
  assert.is(code, 0);
  assert.match(stdout, /speaks TLS only.*400$/);
  assert.is(log(made).split('showed none').length - 1, 1);
});

test('a daemon with files that do not do does not start, and says which and why', async ({ folder }) => {
  const at = (name: string) => join(folder, name);
  copyFileSync(at('server.key'), at('open.key'));
  chmodSync(at('open.key'), 0o644);
  for (const [key, says, hint] of [
    ['open.key', `the key ${at('open.key')} can be read by everybody`, `chmod 600 ${at('open.key')}`],
    [
      'alice.key',
      `the key ${at('alice.key')} is not that of the certificate ${at('server.pem')}`,
      'openssl pkey -pubout',
    ],
    ['none.key', `there is no file ${at('none.key')}`, 'docs/security.md'],
  ] as const) {
    const config = at('bad.config.mjs');
    const tls = `tls: { cert: '${at('server.pem')}', key: '${at(key)}', ca: '${at('ca.pem')}' }`;
    const where = `stateDir: '${folder}/bad', runDir: '${folder}/bad'`;
    writeFileSync(
      config,
      `${IMPORTS}export default { listen: [{ tcp: '127.0.0.1:0', ${tls} }], ${where}, plugins: [dir()] };`,
    );
    const typed = `sltv daemon --config ${config}`;
    judge({ typed, kind: 'invalid', code: 'core/tls-file', says, hint }, await type(typed));
  }
});

test('a listener that only asks for TLS is refused unless it says insecure, and is loud then', async ({ folder }) => {
  const at = (name: string) => join(folder, name);
  const tls = `tls: { cert: '${at('server.pem')}', key: '${at('server.key')}' }`;
  const [port = 0] = await freePorts(1);
  const listen = (more: string) =>
    `listen: [{ unix: '${folder}/open/socket' }, { tcp: '127.0.0.1:${port}', ${tls} ${more} }],`;
  const refused = await ownDaemon(join(folder, 'open'), 'dir()', {}, listen('')).catch((error: Error) => error.message);
  assert.match(String(refused), 'listen[1].tls.ca: is missing, and without the authority');
  await using daemon = await ownDaemon(join(folder, 'open'), 'dir()', {}, listen(', insecure: true'));
  assert.match(daemon.log(), '"level":"warn"');
  assert.match(daemon.log(), 'is insecure: everybody who reaches it is served as viewer');
  assert.match((await type('sltv status', daemon.env)).stdout, 'is insecure');
  const env = { SLTV_ADDR: `localhost:${port}`, SLTV_TLS_CA: at('ca.pem') };
  assert.is((await type('sltv disk list', env)).code, 0);
  assert.is((await type('sltv disk create x --size 1M', env)).code, 8);
});

test('SLTV_LISTEN_TCP opens a port as earlier installations knew it', async ({ folder, alice }) => {
  const [port = 0] = await freePorts(1);
  const files = {
    SLTV_TLS_CERT: join(folder, 'server.pem'),
    SLTV_TLS_KEY: join(folder, 'server.key'),
    SLTV_TLS_CA: join(folder, 'ca.pem'),
  };
  await using daemon = await ownDaemon(join(folder, 'by-env'), 'dir()', {
    ...files,
    SLTV_LISTEN_TCP: `127.0.0.1:${port}`,
  });
  assert.is((await type('sltv disk list', daemon.env)).code, 0);
  assert.is((await type('sltv disk create a --size 1M', { ...alice, SLTV_ADDR: `127.0.0.1:${port}` })).code, 0);
});

test.run();
