// Clients that know nothing of ours: gRPC with a .proto that was typed by hand, buf curl, and curl with JSON; against the
// real daemon, with real LVM and a real guest.
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GROWN_BY_HAND, startDaemon } from '../testbed/daemon.ts';
import { type Host, testbed } from '../testbed/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'node_modules/.bin');
const PROTO = join(ROOT, 'test/fixtures/api-v1.proto');
const SOCKET = '/run/sltv/sltvd.sock';

test('whoever has the description of the API can do everything in it', async () => {
  await using host = await testbed.host({ name: 'clients', disks: ['1G'], files: GROWN_BY_HAND });
  await startDaemon(host);
  await host.run('sltv pool create vg-sltv /dev/vda');
  await host.guest('web');
  await host.guest('idle', { start: false });

  const program = join(ROOT, 'test/e2e/inside/client.ts');
  const { stdout } = await host.run(`${BIN}/node ${program} unix://${SOCKET} ${PROTO} web idle`, { timeout: 500_000 });
  assert.is(stdout.match(/^ok /gm)?.length, 11, stdout);

  await byCurl(host);
  await byBufCurl(host);
});

const JSON_HEADER = "-H 'content-type: application/json'";
const curl = (method: string, body: string, more = '') =>
  `curl -sS --max-time 60 --unix-socket ${SOCKET} ${JSON_HEADER} ${more} -d '${body}' http://sltv/sltv.v1.Sltv/${method}`;

/** JSON as people type it: sizes as numbers or as words of digits, fields in either spelling. */
async function byCurl(host: Host): Promise<void> {
  const said = async (method: string, body: string, more = '') =>
    JSON.parse((await host.run(curl(method, body, more))).stdout);
  const made = await said('CreateDisk', '{"name":"j","sizeBytes":8388608}');
  assert.equal([made.name, made.vg, made.sizeBytes], ['j', 'vg-sltv', '8388608']);
  assert.is((await said('ExtendDisk', '{"name":"j","delta_bytes":"4194304"}')).sizeBytes, '12582912');
  const again = '-H "sltv-request-id: one-of-mine"';
  for (const _ of [1, 2]) {
    assert.is((await said('ExtendDisk', '{"name":"j","deltaBytes":4194304}', again)).sizeBytes, '16777216');
  }
  const attachment = await said('AttachDisk', '{"diskName":"j","vmName":"web"}');
  assert.equal([attachment.diskName, attachment.vmName, attachment.targetDev], ['j', 'web', 'vda']);
  const refusal = await said('DeleteDisk', '{"name":"j"}');
  assert.equal([refusal.code, refusal.message], ['failed_precondition', 'vg-sltv/j is attached to web']);
  const misspelt = await said('CreateDisk', '{"name":"k","sizeByte":8388608}');
  assert.is(misspelt.code, 'invalid_argument');
  assert.match(misspelt.message, /sizeByte/);
  assert.match((await host.run(curl('CreateDisk', '{"name":"k"', '-i'))).stdout, /^HTTP\/1.1 400 /);
  assert.equal(await said('DeleteDisk', '{"name":"j","force":true}'), {});
  assert.equal(await said('ListDisks', '{}'), { disks: [] });
}

async function byBufCurl(host: Host): Promise<void> {
  const at = `--protocol grpc --http2-prior-knowledge --unix-socket ${SOCKET} --schema ${PROTO}`;
  const buf = (method: string, body: string) =>
    host.run(`${BIN}/buf curl ${at} --emit-defaults -d '${body}' http://sltv/sltv.v1.Sltv/${method}`, {
      allowFailure: true,
      timeout: 120_000,
    });
  const made = await buf('CreateDisk', '{"name":"b","size_bytes":8388608}');
  assert.is(JSON.parse(made.stdout).sizeBytes, '8388608', made.stderr);
  const twice = await buf('CreateDisk', '{"name":"b","size_bytes":8388608}');
  assert.match(twice.stderr, /"already_exists"/);
  assert.is((await buf('DeleteDisk', '{"name":"b"}')).code, 0);
}

test.run();
