// Runs inside a test-bed host: a gRPC client of another make, with a .proto that was typed by hand from the description of the
// API, and none of our code. It does all that the fixed service can do, and says what it did, a line each.
// Words: the daemon's address, the .proto, a running VM, one that is off.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const [address = '', proto = '', running = '', off = ''] = process.argv.slice(2);
const MiB = 1024 ** 2;
const { status: Code } = grpc;

const loaded = grpc.loadPackageDefinition(
  loadSync(proto, { keepCase: true, longs: Number, enums: String, defaults: true }),
);
// What the file declares: package sltv.v1 with the service Sltv.
const { Sltv } = (loaded.sltv as grpc.GrpcObject).v1 as { Sltv: grpc.ServiceClientConstructor };
const client = new Sltv(address, grpc.credentials.createInsecure());

// Each message has fields of its own; assertions look into it.
// biome-ignore lint/suspicious/noExplicitAny: as above
type Message = any;

function call(method: string, request: object, options: grpc.CallOptions = {}): Promise<Message> {
  return new Promise((resolve, reject) => {
    const answered = (error: grpc.ServiceError | null, message: Message) => (error ? reject(error) : resolve(message));
    client[method]?.(request, new grpc.Metadata(), { deadline: Date.now() + 60_000, ...options }, answered);
  });
}

async function refused(method: string, request: object, code: grpc.status, says: RegExp): Promise<void> {
  const error: grpc.ServiceError = await call(method, request).then(
    () => assert.fail(`${method} ${JSON.stringify(request)} should have been refused`),
    (reason) => reason,
  );
  assert.equal(Code[error.code], Code[code], `${method} ${JSON.stringify(request)}: ${error.details}`);
  assert.match(error.details, says);
}

const done = (what: string) => console.log(`ok ${what}`);
const run = (program: string, ...words: readonly string[]) => execFileSync(program, words, { encoding: 'utf8' });
const seconds = ({ seconds: whole }: { seconds: number }) => Number(whole);

const begun = Math.floor(Date.now() / 1000);
const node = await call('GetNodeStatus', {});
assert.ok(node.node_id);
assert.match(node.version, /^\d+\.\d+\.\d+/);
assert.equal(node.cluster_enabled, false);
const space = node.vgs.find(({ name }: Message) => name === 'vg-sltv');
assert.ok(space.size_bytes > 900 * MiB && space.size_bytes === space.free_bytes);
done('GetNodeStatus');

const thick = await call('CreateDisk', { name: 'data', size_bytes: 100 * MiB - 1 });
assert.equal(thick.vg, 'vg-sltv', 'an empty vg is the default');
assert.equal(thick.mode, 'PROVISION_MODE_THICK', 'an unspecified mode is thick');
assert.deepEqual([thick.size_bytes, thick.virtual_size_bytes], [100 * MiB, 100 * MiB], 'whole extents');
assert.equal(thick.device_path, '/dev/vg-sltv/data');
assert.equal(thick.created_on_node, node.node_id);
assert.ok(seconds(thick.created_at) >= begun - 1 && seconds(thick.created_at) <= Date.now() / 1000);
assert.equal(thick.last_extended_at, null, 'unset if never');
done('CreateDisk, thick');

const request = { vg: 'vg-sltv', mode: 'PROVISION_MODE_THIN' };
const thin = await call('CreateDisk', {
  ...request,
  name: 'root',
  size_bytes: 64 * MiB,
  virtual_size_bytes: 4096 * MiB,
});
assert.equal(thin.mode, 'PROVISION_MODE_THIN');
assert.deepEqual([thin.size_bytes, thin.virtual_size_bytes], [64 * MiB, 4096 * MiB]);
const small = await call('CreateDisk', { ...request, name: 'small', virtual_size_bytes: 64 * MiB });
assert.equal(small.virtual_size_bytes, 64 * MiB);
assert.ok(small.size_bytes >= 64 * MiB && small.size_bytes < 80 * MiB, 'not 10 GiB for a guest that sees less');
done('CreateDisk, thin');

const names = async (which: object) => (await call('ListDisks', which)).disks.map(({ name }: Message) => name).sort();
assert.deepEqual(await names({}), ['data', 'root', 'small']);
assert.deepEqual(await names({ vg: 'disks' }), []);
assert.deepEqual(await call('GetDisk', { name: 'vg-sltv/data' }), await call('GetDisk', { name: 'data' }));
done('ListDisks, GetDisk');

const longer = await call('ExtendDisk', { name: 'data', delta_bytes: 28 * MiB });
assert.deepEqual([longer.size_bytes, longer.virtual_size_bytes], [128 * MiB, 128 * MiB]);
assert.ok(seconds(longer.last_extended_at) >= begun);
const grown = await call('ExtendDisk', { name: 'root', size_bytes: 128 * MiB });
assert.deepEqual([grown.size_bytes, grown.virtual_size_bytes], [128 * MiB, 4096 * MiB], 'what its guest sees stays');
done('ExtendDisk, of disks that nobody uses');

const attached = await call('AttachDisk', { disk_name: 'data', vm_name: running, target_dev: 'vdc' });
assert.deepEqual(
  [attached.disk_name, attached.vm_name, attached.host, attached.target_dev],
  ['data', running, node.node_id, 'vdc'],
);
assert.ok(seconds(attached.attached_at) >= begun);
const chosen = await call('AttachDisk', { disk_name: 'root', vm_name: running });
assert.match(chosen.target_dev, /^vd[ab]$/, 'a free one is picked');
assert.equal((await call('AttachDisk', { disk_name: 'small', vm_name: off })).vm_name, off);
const hasOf = (vm: string) =>
  [...run('virsh', '-q', 'domblklist', vm).matchAll(/^ *(\S+) +(\S+)/gm)].map(([, at, path]) => `${at} ${path}`).sort();
assert.deepEqual(hasOf(running), [`${chosen.target_dev} /dev/vg-sltv/root`, 'vdc /dev/vg-sltv/data']);
assert.deepEqual(hasOf(off), ['vda /dev/vg-sltv/small']);
done('AttachDisk, to a VM that runs and to one that is off');

const attachments = async (which: object) =>
  (await call('ListAttachments', which)).attachments.map((each: Message) => `${each.disk_name} ${each.vm_name}`).sort();
assert.deepEqual(await attachments({}), [`data ${running}`, `root ${running}`, `small ${off}`]);
assert.deepEqual(await attachments({ disk_name: 'data' }), [`data ${running}`]);
assert.deepEqual(await attachments({ vm_name: off }), [`small ${off}`]);
assert.deepEqual(await attachments({ disk_name: 'data', vm_name: off }), []);
const cluster = await call('GetClusterStatus', {});
assert.deepEqual([cluster.enabled, cluster.disk_count, cluster.attachment_count], [false, 3, 3]);
assert.equal(cluster.nodes[0].node_id, node.node_id);
done('ListAttachments, GetClusterStatus');

await call('ExtendDisk', { name: 'data', size_bytes: 160 * MiB });
await call('ExtendDisk', { name: 'root', delta_bytes: 32 * MiB });
const sizeOf = (target: string) =>
  Number(/Capacity: +(\d+)/.exec(run('virsh', '-q', 'domblkinfo', running, target))?.[1]);
assert.equal(sizeOf('vdc'), 160 * MiB, 'the guest of a thick disk sees it grow');
assert.equal(sizeOf(chosen.target_dev), 4096 * MiB, 'the guest of a thin one does not');
done('ExtendDisk, under a running guest');

const thinRequest = { ...request, name: 'x', size_bytes: 64 * MiB };
for (const [method, wrong, code, says] of [
  ['CreateDisk', { name: 'data', size_bytes: MiB }, Code.ALREADY_EXISTS, /already a disk vg-sltv\/data/],
  ['GetDisk', { name: 'none' }, Code.NOT_FOUND, /no disk none/],
  ['DeleteDisk', { name: 'none' }, Code.NOT_FOUND, /no disk none/],
  ['ExtendDisk', { name: 'none', delta_bytes: MiB }, Code.NOT_FOUND, /no disk none/],
  ['CreateDisk', { name: 'x', vg: 'none', size_bytes: MiB }, Code.NOT_FOUND, /no pool none/],
  ['ListDisks', { vg: 'none' }, Code.NOT_FOUND, /no pool none/],
  ['AttachDisk', { disk_name: 'data', vm_name: 'none' }, Code.NOT_FOUND, /no VM none/],
  ['AttachDisk', { disk_name: 'none', vm_name: running }, Code.NOT_FOUND, /no disk none/],
  ['DetachDisk', { disk_name: 'data', vm_name: off }, Code.NOT_FOUND, /not attached to/],
  ['ExtendDisk', { name: 'data' }, Code.INVALID_ARGUMENT, /either to a size or by a delta/],
  ['ExtendDisk', { name: 'data', size_bytes: 200 * MiB, delta_bytes: MiB }, Code.INVALID_ARGUMENT, /either to a size/],
  ['ExtendDisk', { name: 'data', size_bytes: MiB }, Code.INVALID_ARGUMENT, /never shrinks/],
  ['CreateDisk', thinRequest, Code.INVALID_ARGUMENT, /virtual size/],
  ['CreateDisk', { name: 'x' }, Code.INVALID_ARGUMENT, /size/],
  ['CreateDisk', { size_bytes: MiB }, Code.INVALID_ARGUMENT, /name/],
  ['CreateDisk', { name: '-x', size_bytes: MiB }, Code.INVALID_ARGUMENT, /'-x'/],
  ['CreateDisk', { name: 'x_tmeta', size_bytes: MiB }, Code.INVALID_ARGUMENT, /LVM keeps names/],
  ['DeleteDisk', { name: 'data' }, Code.FAILED_PRECONDITION, /attached to/],
  ['AttachDisk', { disk_name: 'data', vm_name: off }, Code.FAILED_PRECONDITION, /one VM/],
  ['CreateDisk', { name: 'x', size_bytes: 1024 ** 4 }, Code.RESOURCE_EXHAUSTED, /free/],
  ['ExtendDisk', { name: 'data', delta_bytes: 1024 ** 4 }, Code.RESOURCE_EXHAUSTED, /free/],
] as const) {
  await refused(method, wrong, code, says);
}
done('errors have the codes that clients rely on');

await assert.rejects(call('ListDisks', {}, { deadline: Date.now() - 1 }), { code: Code.DEADLINE_EXCEEDED });
const leaving = client.ListDisks?.({}, new grpc.Metadata(), {}, () => {});
leaving?.cancel();
const at = Date.now();
await Promise.all(Array.from({ length: 20 }, () => call('ListDisks', {})));
done(`deadlines, cancellation, and 20 calls at once in ${Date.now() - at} ms`);

await call('DetachDisk', { disk_name: 'root', vm_name: running });
await call('DetachDisk', { disk_name: 'small', vm_name: off });
assert.deepEqual(hasOf(running), ['vdc /dev/vg-sltv/data']);
assert.deepEqual(hasOf(off), []);
await call('DeleteDisk', { name: 'root' });
await call('DeleteDisk', { name: 'vg-sltv/small', force: true });
await call('DeleteDisk', { name: 'data', force: true });
assert.deepEqual(hasOf(running), [], 'force detaches first');
assert.deepEqual(await names({}), []);
assert.equal(run('lvs', '--noheadings', 'vg-sltv').trim(), '');
done('DetachDisk, DeleteDisk');

client.close();
