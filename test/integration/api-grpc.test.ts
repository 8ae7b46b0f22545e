// The fixed service, played by a client of another make.
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as HEALTH_PROTO } from 'grpc-health-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { playEverything } from '../core/api/scenario.ts';
import { startTrial, type Trial } from '../core/api/trial.ts';
import { type GrpcClient, grpcClient } from '../fixtures/grpc-client.ts';

const failure = async (work: Promise<unknown>): Promise<grpc.ServiceError> =>
  await work.then(
    () => assert.unreachable('it should have been refused'),
    (error) => error,
  );

const test = suite('gRPC');
const withClient = (title: string, work: (client: GrpcClient, trial: Trial) => Promise<void>) =>
  test(title, async () => {
    await using trial = await startTrial();
    const client = grpcClient(`unix://${trial.path}`);
    try {
      await work(client, trial);
    } finally {
      client.raw.close();
    }
  });

withClient('a client of another make can do everything', playEverything);

withClient('an error has its sentence, and its code and hint as a detail', async (client) => {
  const error = await failure(client.call('GetDisk', { name: 'none' }));
  assert.is(error.details, 'there is no disk none');
  const [status] = error.metadata.get('grpc-status-details-bin');
  assert.ok(String(status).includes('sltv.v1.ErrorInfo'));
  assert.ok(String(status).includes('core/disk-missing'));
  assert.ok(String(status).includes('sltv disk list'));
});

withClient('a sentence arrives as it was written, whatever is in it', async (client) => {
  const error = await failure(client.call('GetDisk', { name: 'mem/100 % größer?' }));
  assert.is(error.details, 'there is no disk mem/100 % größer?');
});

withClient('a deadline is kept', async (client, trial) => {
  await failure(client.call('GetDisk', { name: 'none' }, { deadline: new Date(Date.now() - 1000) }));
  const error = await failure(client.call('ListDisks', {}, { deadline: new Date(Date.now() - 1) }));
  assert.is(error.code, grpc.status.DEADLINE_EXCEEDED);
  assert.is((await client.call('ListDisks', {})).disks.length, 0);
  assert.ok(
    trial.finished.every(
      ({ result }) => result === 'ok' || result === 'core/timeout' || result === 'core/disk-missing',
    ),
  );
});

withClient('a request id goes as metadata', async (client, trial) => {
  const metadata = new grpc.Metadata();
  metadata.set('sltv-request-id', 'r-1');
  await client.call('ListDisks', {}, {}, metadata);
  await trial.until(() => trial.finished.length === 1);
  assert.is(trial.finished[0]?.requestId, 'r-1');
});

withClient('a method that is not there is UNIMPLEMENTED', async (client, trial) => {
  const bytes = (value: Buffer) => value;
  const error = await new Promise<grpc.ServiceError | null>((resolve) => {
    client.raw.makeUnaryRequest('/sltv.v1.Sltv/ShrinkDisk', bytes, bytes, Buffer.alloc(0), (reason) => resolve(reason));
  });
  assert.is(error?.code, grpc.status.UNIMPLEMENTED);
  assert.match(String(error?.details), /ShrinkDisk/);
  assert.is(trial.finished.length, 0);
});

withClient('a message above 1 MiB is RESOURCE_EXHAUSTED, and the next call is answered', async (client) => {
  const error = await failure(client.call('GetDisk', { name: 'x'.repeat(2 ** 20 + 1) }));
  assert.is(error.code, grpc.status.RESOURCE_EXHAUSTED);
  assert.equal((await client.call('ListDisks', {})).disks, []);
});

test('a health client of another make is told, by name and for all, and again when the daemon stops', async () => {
  await using trial = await startTrial({ role: 'viewer' });
  const loaded = grpc.loadPackageDefinition(loadSync(HEALTH_PROTO, { enums: String }));
  // What the file declares: package grpc.health.v1 with the service Health.
  const { Health } = ((loaded.grpc as grpc.GrpcObject).health as grpc.GrpcObject).v1 as {
    Health: grpc.ServiceClientConstructor;
  };
  const client = new Health(`unix://${trial.path}`, grpc.credentials.createInsecure());
  const check = (service: string) =>
    new Promise((resolve, reject) => {
      client.Check?.({ service }, (error: grpc.ServiceError | null, answer: unknown) =>
        error ? reject(error) : resolve(answer),
      );
    });
  for (const service of ['', 'sltv.v1.Sltv', 'sltv.v1.PoolService']) {
    assert.equal(await check(service), { status: 'SERVING' }, service);
  }
  assert.is((await failure(check('none'))).code, grpc.status.NOT_FOUND);
  // A method of the file's that gives a stream.
  const watch = client.Watch as (request: object) => AsyncIterable<{ status: string }>;
  const watched: unknown[] = [];
  let closed: Promise<void> | undefined;
  for await (const { status } of watch.call(client, { service: '' })) {
    if (watched.push(status) === 1) closed = trial.close(5_000);
  }
  await closed;
  assert.equal(watched, ['SERVING', 'NOT_SERVING']);
  client.close();
});

test('whatever authority a client sends for a Unix socket, it is answered', async () => {
  await using trial = await startTrial();
  for (const authority of ['localhost', encodeURIComponent(trial.path), '[', 'unix:x']) {
    const client = grpcClient(`unix://${trial.path}`, { 'grpc.default_authority': authority });
    assert.equal((await client.call('ListDisks', {})).disks, [], authority);
    client.raw.close();
  }
});

test('a role that may not is PERMISSION_DENIED', async () => {
  await using trial = await startTrial({ role: 'viewer' });
  const client = grpcClient(`unix://${trial.path}`);
  const error = await failure(client.call('CreateDisk', { name: 'a', sizeBytes: '1' }));
  client.raw.close();
  assert.is(error.code, grpc.status.PERMISSION_DENIED);
});

test.run();
