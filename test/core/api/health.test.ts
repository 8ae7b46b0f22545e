import { once } from 'node:events';
import { request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../../core/api/gen/grpc/health/v1/health_pb.ts';
import { createHealth } from '../../../core/api/health.ts';
import { SERVICES } from '../../../core/api/services.ts';
import { raw } from './raw.ts';
import { startTrial, type Trial } from './trial.ts';

const CHECK = '/grpc.health.v1.Health/Check';

const overGrpc = ({ path }: Trial) => {
  const nodeOptions = { createConnection: () => createConnection(path) };
  return createClient(Health, createGrpcTransport({ baseUrl: 'http://localhost', nodeOptions }));
};

test('the daemon and each of its services are SERVING', async () => {
  await using trial = await startTrial({ role: 'viewer' });
  for (const service of ['', ...SERVICES.map(({ typeName }) => typeName)]) {
    const { status, json } = await raw(trial.path, CHECK, { body: JSON.stringify({ service }) });
    assert.equal([status, json], [200, { status: 'SERVING' }], service);
  }
});

test('a service that is not there is NOT_FOUND, and the error says which are', async () => {
  await using trial = await startTrial();
  const { status, json } = await raw(trial.path, CHECK, { body: '{"service":"sltv.v1.Sltw"}' });
  assert.equal([status, json.code, json.message], [404, 'not_found', 'this daemon has no service sltv.v1.Sltw']);
  assert.match(Buffer.from(json.details[0].value, 'base64').toString(), 'sltv.v1.Sltv,');
});

test('before the daemon takes calls it is NOT_SERVING, and so again when it stops', () => {
  const { handlers, ready, stop } = createHealth(['a']);
  // The handler looks at the request alone.
  const check = () => (handlers.check as unknown as (request: object) => unknown)({ service: 'a' });
  assert.equal(check(), { status: Status.NOT_SERVING });
  ready();
  assert.equal(check(), { status: Status.SERVING });
  stop();
  assert.equal(check(), { status: Status.NOT_SERVING });
});

test('whoever watches is told when the daemon stops, and let go without an error', async () => {
  await using trial = await startTrial({ role: 'viewer' });
  const seen: Status[] = [];
  let closed: Promise<void> | undefined;
  for await (const { status } of overGrpc(trial).watch({ service: 'sltv.v1.Sltv' })) {
    if (seen.push(status) === 1) closed = trial.close(5_000);
  }
  await closed;
  assert.equal(seen, [Status.SERVING, Status.NOT_SERVING]);
});

test('a service that is not there can be watched, as gRPC has it', async () => {
  await using trial = await startTrial();
  for await (const { status } of overGrpc(trial).watch({ service: 'none' })) {
    assert.is(status, Status.SERVICE_UNKNOWN);
    break;
  }
});

test('whoever leaves is forgotten', async () => {
  await using trial = await startTrial();
  const leaving = new AbortController();
  const watching = async () => {
    for await (const _ of overGrpc(trial).watch({}, { signal: leaving.signal })) leaving.abort();
  };
  assert.is((await watching().catch((error) => error)).code, Code.Canceled);
  await trial.until(() => trial.finished.length === 1);
  assert.equal([trial.finished[0]?.operation, trial.finished[0]?.result], ['health.watch', 'core/cancelled']);
});

test('while calls are waited for at the stop, an open connection is told NOT_SERVING, and refused all else', async () => {
  await using trial = await startTrial();
  const open = [await connected(trial), await connected(trial)] as const;
  const work = raw(trial.path, '/sltv.v1.PluginService/Call', { body: '{"words":"trial wait"}' });
  await trial.until(() => trial.seen.length === 1);
  const closed = trial.close(10_000);
  assert.equal(await ask(open[0], CHECK), { status: 'NOT_SERVING' });
  assert.is((await ask(open[1], '/sltv.v1.Sltv/ListDisks')).code, 'unavailable');
  trial.release();
  assert.is((await work).status, 200);
  await closed;
});

async function connected({ path }: Trial): Promise<Socket> {
  const socket = createConnection(path);
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket, path: string): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json' };
  const call = request({ createConnection: () => socket, path, method: 'POST', headers }).end('{}');
  const [response] = await once(call, 'response');
  return (await json(response)) as Record<string, unknown>;
}

test.run();
