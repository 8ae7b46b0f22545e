// gRPC's C core, by Python's grpcio: health and reflection as bytes on the wire, and all that the command line does, with a
// certificate and code generated from the .proto files alone. A first program with it is on docs/api.md.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startTrial } from '../core/api/trial.ts';
import { makeAuthority } from '../fixtures/certificates.ts';
import { memoryCluster, memoryClusterWorld } from '../fixtures/memory-cluster.ts';

const ROOT = join(import.meta.dirname, '../..');

const PROGRAM = String.raw`
import sys
import grpc

with grpc.insecure_channel('unix:' + sys.argv[1]) as channel:
    print(channel.unary_unary('/grpc.health.v1.Health/Check')(b'', timeout=10).hex())
    watching = channel.unary_stream('/grpc.health.v1.Health/Watch')(b'', timeout=10)
    print(next(watching).hex())
    watching.cancel()
    for version in ('v1', 'v1alpha'):
        ask = channel.stream_stream(f'/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo')
        services, disk = ask(iter([b'\x3a\x00', b'\x22\x0csltv.v1.Disk']), timeout=10)
        print(b'sltv.v1.PoolService' in services, b'target_dev' in disk)
`;

test('Python’s grpcio is told of health and schema, as a viewer', async () => {
  await using trial = await startTrial({ role: 'viewer' });
  const { stdout } = await execa('/usr/bin/python3', ['-c', PROGRAM, trial.path], { timeout: 30_000 });
  // A HealthCheckResponse whose first field is 1, SERVING.
  assert.equal(stdout.split('\n'), ['0801', '0801', 'True True', 'True True']);
});

test('Python’s grpcio does over TLS, with a certificate, what the command line does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sltv-python-'));
  try {
    const authority = await makeAuthority(folder, 'ca');
    const [server, client] = await Promise.all([
      authority.issue('server'),
      authority.issue('client', { usage: 'clientAuth' }),
    ]);
    const world = memoryClusterWorld();
    const cluster = memoryCluster(world, { node: 'n1', boot: 'b1' });
    cluster.join({ version: '1', format: 1, addresses: [] });
    memoryCluster(world, { node: 'n2', boot: 'x1' }).join({ version: '1', format: 1, addresses: [] });
    await using trial = await startTrial({ cluster, tcp: [{ tls: { ...server, ca: authority.ca }, role: 'admin' }] });
    const files = [authority.ca, client.cert, client.key, join(ROOT, 'core/api')];
    const program = [join(ROOT, 'test/fixtures/everything.py'), `localhost:${trial.ports[0]}`, ...files];
    const { stdout } = await execa('/usr/bin/python3', program, { timeout: 60_000 });
    assert.equal(stdout.split('\n'), [
      'create mem thick 8',
      'create 64',
      "list ['thick', 'thin']",
      'extend 16',
      'resize 128',
      'attach vda 1',
      'show web',
      'status n1 1',
      "pools ['mem', 'other']",
      'pool 1',
      'pool create new',
      "pool extend ['memory', '/dev/y']",
      'pool share mem',
      'pool accept mem',
      'pool take mem',
      'pool shell ls',
      "vms ['web', 'db']",
      "nodes ['n1', 'n2']",
      'node fence True',
      "node retire ['n1']",
      'cluster recover FAILED_PRECONDITION',
      'forget []',
      "adopt [('thin', 128)]",
      'operation cancel NOT_FOUND',
      'operations 0',
      "events ['disk.forgotten', 'disk.adopted']",
      'plugins True',
      'verb 1073741824',
      'stream [1.0, 2.0]',
      'error NOT_FOUND True',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('that program leaves out no method that there is', () => {
  const folder = join(ROOT, 'core/api/sltv/v1');
  const files = readdirSync(folder).filter((name) => name.endsWith('.proto'));
  const methods = files.flatMap((name) => readFileSync(join(folder, name), 'utf8').match(/(?<=^ {2}rpc )\w+/gm) ?? []);
  const program = readFileSync(join(ROOT, 'test/fixtures/everything.py'), 'utf8');
  assert.ok(methods.length > 20);
  assert.equal(
    methods.filter((method) => !new RegExp(`\\.${method}[,(]`).test(program)),
    [],
  );
});

test.run();
