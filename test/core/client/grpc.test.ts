import { createServer } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SERVICES } from '../../../core/api/services.ts';
import { createGrpc } from '../../../core/client/grpc.ts';
import { connect } from '../../../core/client/published.ts';
import type { SltvError } from '../../../core/errors.ts';
import { startTrial } from '../api/trial.ts';

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

test('every answer is the same message as over JSON', async () => {
  await using trial = await startTrial();
  const [grpc, json] = [trial.client({ protocol: 'grpc' }), trial.client()];
  const made = await grpc.sltv.createDisk({ name: 'a', mode: 'PROVISION_MODE_THIN', virtualSizeBytes: '1073741824' });
  assert.equal(made, await json.sltv.getDisk({ name: 'a' }).then((disk) => ({ ...disk, facts: [] })));
  for (const ask of [
    (client: typeof grpc) => client.sltv.listDisks({}),
    (client: typeof grpc) => client.sltv.getClusterStatus(),
    (client: typeof grpc) => client.pools.list(),
    (client: typeof grpc) => client.vms.list(),
    (client: typeof grpc) => client.plugins.list(),
    (client: typeof grpc) => client.plugins.call('trial echo', { size: '1G', words: ['a', 'b'] }),
    (client: typeof grpc) => all(client.plugins.watch('trial count', { to: 3 })),
    (client: typeof grpc) => all(client.events.watch({})),
  ]) {
    assert.equal(await ask(grpc), await ask(json));
  }
});

test('every method of ours is one that it can call', async () => {
  const { call } = createGrpc({
    addr: '/nowhere/d.sock',
    target: { socketPath: '/nowhere/d.sock' },
    tls: {},
    timeout: 1_000,
  });
  const ours = SERVICES.filter(({ file }) => file.proto.package === 'sltv.v1');
  for (const { typeName, methods } of ours) {
    for (const { name, methodKind } of methods) {
      if (methodKind !== 'unary') continue;
      assert.is((await failure(call(`/${typeName}/${name}`, {}, {}))).code, 'core/no-daemon', name);
    }
  }
});

test('an error has its kind, code, sentence and hint', async () => {
  await using trial = await startTrial();
  const error = await failure(trial.client({ protocol: 'grpc' }).sltv.getDisk({ name: 'größer?' }));
  assert.equal([error.kind, error.code, error.message], ['not-found', 'core/disk-missing', 'there is no disk größer?']);
  assert.is(error.hint, 'sltv disk list');
});

test('an error of a stream comes after what came before it', async () => {
  await using trial = await startTrial();
  const seen: unknown[] = [];
  const work = async () => {
    const stream = trial.client({ protocol: 'grpc' }).plugins.watch('trial count', { to: 2, after: 'fail' });
    for await (const each of stream) seen.push(each);
  };
  assert.is((await failure(work())).code, 'trial/busy');
  assert.equal(seen, [{ number: 1 }, { number: 2 }]);
});

test('a message that is none is refused before anybody is asked', async () => {
  // What a caller in plain JavaScript can write.
  const request = { nam: 'a' } as object;
  const error = await failure(connect({ addr: '/nowhere/d.sock', protocol: 'grpc' }).sltv.listDisks(request));
  assert.is(error.code, 'core/input');
  assert.match(error.message, 'nam');
});

test('without a daemon it says how to start one', async () => {
  const error = await failure(connect({ addr: '/nowhere/d.sock', protocol: 'grpc' }).sltv.listDisks({}));
  assert.equal([error.code, error.message], ['core/no-daemon', 'no daemon answers on /nowhere/d.sock']);
});

test('the deadline goes with the call, and the daemon says what it was waiting for', async () => {
  await using trial = await startTrial();
  const client = trial.client({ protocol: 'grpc' });
  const error = await failure(client.plugins.call('trial wait', {}, { timeout: 50 }));
  assert.equal([error.kind, error.message], ['timeout', 'the deadline of this call has passed']);
});

test('a signal ends the waiting, and the work', async () => {
  await using trial = await startTrial();
  const leaving = new AbortController();
  const client = trial.client({ protocol: 'grpc' });
  const work = failure(client.plugins.call('trial wait', {}, { signal: leaving.signal }));
  await trial.until(() => trial.seen.length === 1);
  leaving.abort();
  assert.is((await work).code, 'core/cancelled');
  await trial.until(() => trial.finished.length === 1);
  assert.is(trial.finished[0]?.result, 'core/cancelled');
});

test('leaving a stream ends it in the daemon', async () => {
  await using trial = await startTrial();
  for await (const each of trial.client({ protocol: 'grpc' }).plugins.watch('trial count', { to: 1, after: 'wait' })) {
    assert.equal(each, { number: 1 });
    break;
  }
  await trial.until(() => trial.finished.length === 1);
  assert.is(trial.finished[0]?.result, 'core/cancelled');
});

test('calls at once share a connection, and none is left soon after', async () => {
  await using trial = await startTrial();
  const addr = join(trial.folder, 'wire.sock');
  const { createConnection } = await import('node:net');
  let made = 0;
  const open = new Set<object>();
  const gone = Promise.withResolvers<void>();
  const server = createNetServer((socket) => {
    made += 1;
    open.add(socket);
    const daemon = createConnection(trial.path);
    socket.pipe(daemon).pipe(socket);
    for (const end of [socket, daemon]) end.on('error', () => {});
    socket.once('close', () => {
      daemon.destroy();
      open.delete(socket);
      if (open.size === 0) gone.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(addr, resolve));
  const client = connect({ addr, protocol: 'grpc' });
  await Promise.all([1, 2, 3, 4].map(() => client.sltv.listDisks({})));
  await gone.promise;
  assert.is(made, 1);
  await client.sltv.listDisks({});
  assert.is(made, 2);
  server.close();
});

test('something that speaks no gRPC is an error', async () => {
  await using trial = await startTrial();
  const addr = join(trial.folder, 'other.sock');
  const server = createServer((_request, response) => response.end('<html>'));
  await new Promise<void>((resolve) => server.listen(addr, resolve));
  assert.is((await failure(connect({ addr, protocol: 'grpc' }).sltv.listDisks({}))).kind, 'unavailable');
  server.close();
});

test('a protocol that there is not is refused, with those that there are', () => {
  // What a caller in plain JavaScript can write.
  const options = { protocol: 'grcp' } as object;
  assert.throws(
    () => connect(options),
    (error: SltvError) => error.hint === 'protocol is one of json, grpc',
  );
});

test.run();
