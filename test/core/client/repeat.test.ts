import { createServer as createHttpServer } from 'node:http';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorInfoSchema } from '../../../core/api/gen/sltv/v1/errors_pb.ts';
import { type ClientOptions, connect } from '../../../core/client/published.ts';
import type { SltvError } from '../../../core/errors.ts';
import { startTrial, type Trial } from '../api/trial.ts';

const failure = async (work: Promise<unknown>): Promise<SltvError> =>
  await work.then(
    () => assert.unreachable('it should have failed'),
    (error) => error,
  );

interface Wire extends AsyncDisposable {
  readonly addr: string;
  /** Connections that were made. */
  readonly made: () => number;
}

/**
 * A wire to the trial's daemon which loses the answer of the first calls: what is asked gets there and is done, and then the
 * connection breaks. `lost`: how many.
 */
async function lossyWire(trial: Trial, lost: number): Promise<Wire> {
  const addr = join(trial.folder, 'wire.sock');
  const ends = new Set<Socket>();
  let made = 0;
  const server = createServer((client) => {
    const nth = ++made;
    const daemon = createConnection(trial.path);
    for (const end of [client, daemon]) {
      ends.add(end);
      end.on('error', () => {});
    }
    client.pipe(daemon);
    if (nth > lost) return void daemon.pipe(client);
    daemon.resume();
    void trial.until(() => trial.finished.length >= nth).then(() => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(addr, resolve));
  return {
    addr,
    made: () => made,
    async [Symbol.asyncDispose]() {
      for (const end of ends) end.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const MIB = 2 ** 20;

for (const protocol of ['json', 'grpc'] as const) {
  const test = suite(`asking again over ${protocol}`);
  const clientOf = (wire: Wire, options: ClientOptions = {}) => connect({ addr: wire.addr, protocol, ...options });

  test('a creation whose answer was lost twice makes one disk', async () => {
    await using trial = await startTrial();
    await using wire = await lossyWire(trial, 2);
    const made = await clientOf(wire, { repeat: true }).sltv.createDisk({ name: 'a', sizeBytes: String(MIB) });
    assert.equal((await trial.client().sltv.listDisks({})).disks, [made]);
    assert.equal(
      trial.finished.slice(0, 3).map(({ operation, result }) => [operation, result]),
      Array(3).fill(['disk.create', 'ok']),
    );
    assert.is(new Set(trial.finished.slice(0, 3).map(({ requestId }) => requestId)).size, 1);
  });

  test('a delta whose answer was lost is added once', async () => {
    await using trial = await startTrial();
    await trial.client().sltv.createDisk({ name: 'a', sizeBytes: String(8 * MIB) });
    trial.finished.length = 0;
    await using wire = await lossyWire(trial, 1);
    const grown = await clientOf(wire, { repeat: true }).sltv.extendDisk({ name: 'a', deltaBytes: String(8 * MIB) });
    assert.equal([wire.made(), grown.sizeBytes], [2, String(16 * MIB)]);
  });

  test('a deletion whose answer was lost is none of a disk that is not there', async () => {
    await using trial = await startTrial();
    await trial.client().sltv.createDisk({ name: 'a', sizeBytes: String(MIB) });
    trial.finished.length = 0;
    await using wire = await lossyWire(trial, 1);
    assert.is(await clientOf(wire, { repeat: true }).sltv.deleteDisk({ name: 'a' }), undefined);
    assert.is(wire.made(), 2);
  });

  test('without being told to a client asks once', async () => {
    await using trial = await startTrial();
    await using wire = await lossyWire(trial, 1);
    const error = await failure(clientOf(wire).sltv.createDisk({ name: 'a', sizeBytes: String(MIB) }));
    assert.equal([error.code, wire.made()], ['core/no-daemon', 1]);
  });

  test('a verb of a plugin that a daemon may have heard is not asked for again', async () => {
    await using trial = await startTrial();
    await using wire = await lossyWire(trial, 1);
    const error = await failure(clientOf(wire, { repeat: true }).plugins.call('trial echo', { size: '1G' }));
    assert.equal([error.code, wire.made(), trial.finished.length], ['core/no-daemon', 1, 1]);
  });

  test('whatever it is, it waits for a daemon that is not there yet', async () => {
    await using trial = await startTrial();
    const addr = join(trial.folder, 'wire.sock');
    const answer = connect({ addr, protocol, repeat: true }).plugins.call('trial echo', { size: '1G' });
    await using _wire = await lossyWire(trial, 0);
    assert.equal(await answer, [{ size: String(2 ** 30), loud: true }]);
  });

  test('it gives up at the deadline, with what was wrong', async () => {
    const client = connect({ addr: '/nowhere/d.sock', protocol, repeat: true });
    const error = await failure(client.sltv.listDisks({}, { timeout: 120 }));
    assert.is(error.code, 'core/no-daemon');
  });

  test('a signal ends it between two tries', async () => {
    const leaving = new AbortController();
    const client = connect({ addr: '/nowhere/d.sock', protocol, repeat: true });
    const work = failure(client.sltv.listDisks({}, { signal: leaving.signal }));
    leaving.abort();
    assert.is((await work).code, 'core/cancelled');
  });

  test('what the daemon refuses is not asked again', async () => {
    await using trial = await startTrial();
    const client = trial.client({ protocol, repeat: true });
    assert.is((await failure(client.sltv.getDisk({ name: 'none' }))).code, 'core/disk-missing');
    assert.is(trial.finished.length, 1);
  });

  test.run();
}

const test = suite('asking again');

test('a daemon that says it is stopping has begun nothing, so that its successor is asked, whatever it is', async () => {
  await using trial = await startTrial();
  const addr = join(trial.folder, 'wire.sock');
  const info = create(ErrorInfoSchema, { code: 'core/stopping' });
  const value = Buffer.from(toBinary(ErrorInfoSchema, info)).toString('base64');
  const refusal = { code: 'unavailable', message: 'stopping', details: [{ type: 'sltv.v1.ErrorInfo', value }] };
  let asked = 0;
  const server = createHttpServer((_request, response) => {
    asked += 1;
    response.statusCode = asked === 1 ? 503 : 200;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(asked === 1 ? refusal : { results: [] }));
  });
  await new Promise<void>((resolve) => server.listen(addr, resolve));
  assert.equal(await connect({ addr, repeat: true }).plugins.call('trial echo', {}), []);
  assert.is(asked, 2);
  server.close();
});

test.run();
