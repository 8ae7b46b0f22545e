// A client of another make: grpc-js, with a .proto that was typed by hand from the description of the API.
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Player, playEverything } from '../core/api/scenario.ts';
import { startTrial, type Trial } from '../core/api/trial.ts';

const PROTO = join(import.meta.dirname, '../fixtures/api-v1.proto');

interface Client extends Player {
  readonly raw: grpc.Client;
  call(
    method: string,
    request: object,
    options?: grpc.CallOptions,
    metadata?: grpc.Metadata,
  ): ReturnType<Player['call']>;
}

function grpcClient(address: string, options: Partial<grpc.ClientOptions> = {}): Client {
  const loaded = grpc.loadPackageDefinition(loadSync(PROTO, { longs: String, enums: String, defaults: true }));
  // What the file declares: package sltv.v1 with the service Sltv.
  const { Sltv } = (loaded.sltv as grpc.GrpcObject).v1 as { Sltv: grpc.ServiceClientConstructor };
  const raw = new Sltv(address, grpc.credentials.createInsecure(), options);
  return {
    raw,
    call: (method, request, callOptions = {}, metadata = new grpc.Metadata()) =>
      new Promise((resolve, reject) => {
        const done = (error: grpc.ServiceError | null, answer: unknown) => (error ? reject(error) : resolve(answer));
        raw[method]?.(request, metadata, callOptions, done);
      }),
    codeOf: (error) => (error as grpc.ServiceError).code,
  };
}

const failure = async (work: Promise<unknown>): Promise<grpc.ServiceError> =>
  await work.then(
    () => assert.unreachable('it should have been refused'),
    (error) => error,
  );

const test = suite('gRPC');
const withClient = (title: string, work: (client: Client, trial: Trial) => Promise<void>) =>
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
