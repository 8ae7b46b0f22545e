import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createNetServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../../core/client/index.ts';
import type { SltvError } from '../../../core/errors.ts';
import { startTrial } from '../api/trial.ts';

const test = suite<{ folder: string; path: string; servers: Server[] }>('the client');
test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'sltv-client-'));
  context.path = join(context.folder, 'd.sock');
  context.servers = [];
});
test.after.each(async ({ folder, servers }) => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

const listening = (server: Server, at: string | number): Promise<Server> =>
  new Promise((resolve) => server.listen(at, () => resolve(server)));

const failure = async (work: Promise<unknown>): Promise<SltvError> =>
  await work.then(
    () => assert.unreachable('it should have failed'),
    (error) => error,
  );

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const each of stream) seen.push(each);
  return seen;
}

/** A daemon that says what a test wants. */
async function standIn({ path, servers }: { path: string; servers: Server[] }, answer: RequestListener) {
  servers.push(await listening(createServer(answer), path));
  return connect({ addr: path, timeout: 5_000 });
}

test('without a daemon it says how to start one', async ({ path }) => {
  const error = await failure(connect({ addr: `unix://${path}` }).sltv.listDisks({}));
  assert.is(error.code, 'core/no-daemon');
  assert.is(error.message, `no daemon answers on unix://${path}`);
  assert.match(error.hint ?? '', /systemctl start sltv/);
});

test('a path that is a plain file has no daemon either', async ({ path }) => {
  await writeFile(path, '');
  const error = await failure(connect({ addr: path }).sltv.listDisks({}));
  assert.is(error.code, 'core/no-daemon');
});

test('each call has a request id of its own, or the one it was given', async (context) => {
  const ids: unknown[] = [];
  const client = await standIn(context, (request, response) => {
    ids.push(request.headers['sltv-request-id']);
    response.setHeader('content-type', 'application/json').end('{"disks":[]}');
  });
  await client.sltv.listDisks({});
  await client.sltv.listDisks({});
  await client.sltv.listDisks({}, { requestId: 'mine' });
  assert.match(String(ids[0]), /^[0-9a-f-]{36}$/);
  assert.is.not(ids[0], ids[1]);
  assert.is(ids[2], 'mine');
});

test('a daemon that does not answer in time is left, and the error says how long it was waited for', async (context) => {
  const client = await standIn(context, () => {});
  const error = await failure(client.sltv.listDisks({}, { timeout: 20 }));
  assert.is(error.code, 'core/timeout');
  assert.match(error.message, /20 ms/);
});

test('the deadline goes with the call', async (context) => {
  let header: unknown;
  const client = await standIn(context, (request, response) => {
    header = request.headers['connect-timeout-ms'];
    response.setHeader('content-type', 'application/json').end('{"disks":[]}');
  });
  await client.sltv.listDisks({}, { timeout: 1234 });
  assert.is(header, '1234');
});

test('a signal ends the waiting', async (context) => {
  const leaving = new AbortController();
  const client = await standIn(context, () => leaving.abort());
  assert.is((await failure(client.sltv.listDisks({}, { signal: leaving.signal }))).code, 'core/cancelled');
});

test('a daemon that dies in the middle is said to have gone', async (context) => {
  const client = await standIn(context, (request) => request.socket.destroy());
  const error = await failure(client.sltv.listDisks({}));
  assert.is(error.kind, 'unavailable');
  assert.match(error.message, /went away/);
});

test('a stream that breaks off is an error, after what came', async (context) => {
  const client = await standIn(context, (_request, response) => {
    const message = Buffer.from('{"result":{"number":1}}');
    const header = Buffer.from([0, 0, 0, 0, message.length]);
    response.setHeader('content-type', 'application/connect+json').write(Buffer.concat([header, message]));
    setImmediate(() => response.destroy());
  });
  const seen: unknown[] = [];
  const work = async () => {
    for await (const result of client.plugins.watch('x', {})) seen.push(result);
  };
  assert.is((await failure(work())).kind, 'unavailable');
  assert.equal(seen, [{ number: 1 }]);
});

test('messages that come in pieces, or several at once, come out whole', async (context) => {
  const client = await standIn(context, (_request, response) => {
    const envelope = (flags: number, message: string) => {
      const header = Buffer.alloc(5);
      header[0] = flags;
      header.writeUInt32BE(Buffer.byteLength(message), 1);
      return Buffer.concat([header, Buffer.from(message)]);
    };
    const bytes = Buffer.concat([
      ...[1, 2, 3].map((number) => envelope(0, `{"result":{"number":${number}}}`)),
      envelope(2, '{}'),
    ]);
    response.setHeader('content-type', 'application/connect+json');
    const send = (from: number) => {
      if (from >= bytes.length) return response.end();
      return response.write(bytes.subarray(from, from + 7), () => setImmediate(() => send(from + 7)));
    };
    send(0);
  });
  assert.equal(await all(client.plugins.watch('x', {})), [{ number: 1 }, { number: 2 }, { number: 3 }]);
});

for (const [title, answer] of [
  ['answers 200 with a page', (_request, response) => response.end('<html>')],
  ['answers 404 with a page', (_request, response) => response.writeHead(404).end('<html>')],
] satisfies [string, RequestListener][]) {
  test(`something else that ${title} is not taken for a daemon`, async (context) => {
    const client = await standIn(context, answer);
    assert.match((await failure(client.sltv.listDisks({}))).message, /not sltv/);
    const stream = client.plugins.watch('x', {})[Symbol.asyncIterator]();
    assert.match((await failure(stream.next())).message, /not sltv/);
  });
}

test('something that does not speak HTTP is an error too', async ({ path, servers }) => {
  servers.push(
    await listening(
      createNetServer((socket) => socket.end('hello\r\n\r\n')),
      path,
    ),
  );
  assert.is((await failure(connect({ addr: path }).sltv.listDisks({}))).kind, 'unavailable');
});

test('a daemon is reached over TCP as well', async ({ servers }) => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end('{"disks":[]}');
  });
  servers.push(
    await listening(
      server.on('error', () => {}),
      0,
    ),
  );
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on TCP');
  assert.equal(await connect({ addr: `http://localhost:${address.port}` }).sltv.listDisks({}), { disks: [] });
});

for (const protocol of ['json', 'grpc'] as const) {
  test(`over ${protocol} every method asks the daemon for what it is called`, async () => {
    await using trial = await startTrial();
    const { sltv, pools, vms, plugins } = trial.client({ protocol });
    const disk = await sltv.createDisk({ name: 'a', sizeBytes: '8388608' });
    assert.equal(await sltv.getDisk({ name: 'a' }), disk);
    assert.equal(await sltv.listDisks({}), { disks: [disk] });
    assert.is((await sltv.extendDisk({ name: 'a', deltaBytes: '8388608' })).sizeBytes, '16777216');
    const thin = { name: 'b', mode: 'PROVISION_MODE_THIN', virtualSizeBytes: '1073741824' } as const;
    assert.is((await sltv.createDisk(thin)).mode, 'PROVISION_MODE_THIN');
    assert.is((await sltv.resizeDisk({ name: 'b', virtualSizeBytes: '2147483648' })).virtualSizeBytes, '2147483648');
    const attachment = await sltv.attachDisk({ diskName: 'a', vmName: 'web', readOnly: true });
    assert.is(attachment.targetDev, 'vda');
    assert.is(attachment.readOnly, true);
    assert.equal((await sltv.listAttachments({ diskName: 'a' })).attachments, [attachment]);
    const [web] = await vms.list();
    assert.equal(web?.disks, [{ targetDev: 'vda', path: disk.devicePath, diskName: 'mem/a', readOnly: true }]);
    assert.is(await sltv.detachDisk({ diskName: 'a', vmName: 'web' }), undefined);
    assert.is(await sltv.deleteDisk({ name: 'a' }), undefined);
    assert.is((await failure(sltv.getDisk({ name: 'a' }))).code, 'core/disk-missing');
    assert.equal(
      (await sltv.getNodeStatus()).vgs.map(({ name }) => name),
      ['mem', 'other'],
    );
    const status = await sltv.getClusterStatus();
    assert.equal([status.enabled, status.diskCount, status.attachmentCount, status.nodes.length], [false, 1, 0, 1]);
    assert.equal(
      (await pools.list()).map(({ name, diskCount }) => [name, diskCount]),
      [
        ['mem', 1],
        ['other', 0],
      ],
    );
    assert.is((await pools.get({ name: 'mem' })).virtualBytes, '2147483648');
    assert.equal((await pools.create({ name: 'new', kind: 'memory', devices: ['/dev/x'] })).name, 'new');
    assert.equal((await pools.extend({ name: 'mem', devices: ['/dev/y'] })).devices, ['memory', '/dev/y']);
    assert.equal(trial.grown, ['mem']);
    assert.equal((await plugins.list()).map(({ name }) => name).toSorted(), [
      'disks',
      'memory',
      'nodes',
      'trial',
      'vms',
    ]);
    assert.equal(await plugins.call('trial echo', { size: '1G', colour: 'red' }), [{ size: '1073741824', loud: true }]);
    assert.equal(await all(plugins.watch('trial count', { to: 2 })), [{ number: 1 }, { number: 2 }]);
  });
}

test('over a Unix socket no TLS is loaded', async () => {
  await using trial = await startTrial();
  const script = `
    const before = new Set(process.moduleLoadList);
    const { connect } = await import(${JSON.stringify(join(import.meta.dirname, '../../../core/client/index.ts'))});
    await connect({ addr: ${JSON.stringify(trial.path)} }).sltv.listDisks({});
    console.log(process.moduleLoadList.filter((each) => !before.has(each)).join('\\n'));`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000 });
  assert.match(stdout, 'NativeModule http');
  assert.equal(stdout.match(/NativeModule (https|tls|_tls_\w+|crypto|http2)$/gm) ?? [], []);
});

for (const file of ['index.ts', 'published.ts']) {
  test(`loading core/client/${file} loads no protobuf code`, async () => {
    const script = `
      import { registerHooks } from 'node:module';
      registerHooks({ load: (url, context, next) => (console.log(url), next(url, context)) });
      await import(${JSON.stringify(join(import.meta.dirname, '../../../core/client', file))});`;
    const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000 });
    const loaded = stdout.split('\n').filter((url) => !url.startsWith('node:'));
    assert.ok(loaded.length >= 5, stdout);
    assert.equal(
      loaded.filter((url) => !/\/core\/(client\/[a-z]+|errors)\.ts$/.test(url) || url.endsWith('/grpc.ts')),
      [],
    );
  });
}

test.run();
