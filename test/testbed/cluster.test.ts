import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Cluster, type Host, testbed } from './index.ts';

const test = suite('test bed of several hosts');
let cluster: Cluster;
let first: Host;
let second: Host;

/** What etcdctl in a host has for a key, asked of all members; nothing when none answers. */
const valueIn = async (host: Host, key: string): Promise<string> => {
  const ask = `etcdctl --endpoints ${cluster.etcd.endpoints} --dial-timeout 2s --command-timeout 4s get --print-value-only`;
  return (await host.run(`ETCDCTL_API=3 ${ask} ${key}`, { allowFailure: true })).stdout.trim();
};

const sizeIn = async (host: Host, device: string) => (await host.run(`blockdev --getsize64 ${device}`)).stdout.trim();

test.before(async () => {
  cluster = await testbed.cluster({ hosts: 2, lun: '1G', host: () => ({ libvirt: false, memory: 512 }) });
  first = cluster.host(1);
  second = cluster.host(2);
});

test.after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

test('hosts are different machines that know each other by name', async () => {
  const [one, other] = await Promise.all(
    cluster.hosts.map(async (host) => (await host.run('hostname; cat /etc/machine-id')).stdout.split('\n')),
  );
  assert.equal([one?.[0], other?.[0]], ['hv1', 'hv2']);
  assert.is.not(one?.[1], other?.[1]);
  await first.run('busybox ping -c 1 -W 5 hv2');
});

test('what one host makes on the shared LUN the other sees', async () => {
  await first.run(`vgcreate -q shared ${cluster.lun} && lvcreate -q -an -Zn -Wn -L 64M -n disk shared`);
  assert.is((await second.run('lvs --noheadings -o lv_name shared')).stdout.trim(), 'disk');
});

test('a volume that one host extends is larger on the other after a refresh, and not before', async () => {
  await second.run('lvchange -ay shared/disk');
  await first.run('lvextend -q -L 128M shared/disk');
  assert.is(await sizeIn(second, '/dev/shared/disk'), String(64 * 2 ** 20));
  await second.run('lvchange --refresh shared/disk');
  assert.is(await sizeIn(second, '/dev/shared/disk'), String(128 * 2 ** 20));
});

test('what one host writes to the shared LUN the other reads', async () => {
  await second.run('echo from the second | dd of=/dev/shared/disk oflag=direct bs=512 conv=sync status=none');
  const { stdout } = await first.run(
    'lvchange -ay shared/disk && dd if=/dev/shared/disk iflag=direct bs=512 count=1 status=none | head -1',
  );
  assert.is(stdout, 'from the second\n');
  await Promise.all(cluster.hosts.map((host) => host.run('lvchange -an shared/disk')));
});

test('every host reaches etcd, and one that is cut off does not', async () => {
  await cluster.etcd.ctl('put', 'key', 'value');
  assert.equal(await Promise.all(cluster.hosts.map((host) => valueIn(host, 'key'))), ['value', 'value']);
  await cluster.cut(first);
  assert.equal(await Promise.all(cluster.hosts.map((host) => valueIn(host, 'key'))), ['', 'value']);
  await cluster.join(first);
  await until(async () => (await valueIn(first, 'key')) === 'value');
});

test('etcd lives on without one member, not without two, and knows what it knew when they are back', async () => {
  cluster.etcd.freeze(1);
  await cluster.etcd.kill(2);
  assert.is(await valueIn(second, 'key'), '');
  await cluster.etcd.start(2);
  await until(async () => (await valueIn(second, 'key')) === 'value');
  cluster.etcd.thaw(1);
  await cluster.etcd.stopAll();
  await cluster.etcd.startAll();
  assert.is(await valueIn(second, 'key'), 'value');
});

test('a power cut of one host leaves the other as it was, and it comes back with its disks', async () => {
  await first.run('touch /root/kept && sync');
  await first.powerCut();
  assert.is((await second.run('lvs --noheadings -o lv_name shared')).stdout.trim(), 'disk');
  await first.boot();
  await first.run('test -e /root/kept && lvs shared/disk');
  assert.is(await valueIn(first, 'key'), 'value');
});

test('hosts see one LUN by iSCSI; one that is cut off waits for it, and has it again after a power cut', async () => {
  await cluster[Symbol.asyncDispose]();
  const few = { etcd: 1, lun: '256M', host: () => ({ libvirt: false, memory: 512 }) };
  await using other = await testbed.cluster({ ...few, name: 'iscsi', transport: 'iscsi' });
  const [one, two] = [other.host(1), other.host(2)];
  await one.run(`vgcreate -q far ${other.lun} && lvcreate -q -an -Zn -Wn -L 64M -n disk far`);
  const list = 'lvs --noheadings -o lv_name far';
  assert.is((await two.run(list)).stdout.trim(), 'disk');
  await other.cut(two);
  const read = `dd if=${other.lun} iflag=direct of=/dev/null count=1 status=none`;
  const waiting = two.start(`${read}; echo ended with $?`);
  await one.run(read);
  await two.run('until ps -eo stat=,comm= | grep "^D.*dd$"; do sleep 0.1; done');
  assert.equal(waiting.seen, []);
  await other.join(two);
  assert.is(await waiting.line(/ended/, { timeout: 60_000 }), 'ended with 0');
  await two.powerCut();
  await two.boot();
  assert.is((await two.run(list)).stdout.trim(), 'disk');
});

test('clusters exist side by side, and die with the process that made them', async () => {
  await using neighbour = await testbed.cluster({
    name: 'neighbour',
    hosts: 0,
    etcd: 1,
    lun: '16M',
    transport: 'iscsi',
  });
  const index = JSON.stringify(import.meta.resolve('./index.ts'));
  const options = "{ name: 'orphan', hosts: 0, etcd: 1, lun: '16M', transport: 'iscsi' }";
  const program = `import { testbed } from ${index}; await testbed.cluster(${options}); console.log('made');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  assert.match(String(await once(child.stdout, 'data')), 'made');
  const children = childrenOf(Number(child.pid));
  assert.is(children.length, 3, 'the network, etcd, the target');
  child.kill('SIGKILL');
  await ended;
  await until(async () => !children.some((pid) => isAlive(pid)));
  await neighbour.etcd.ctl('put', 'it', 'lives');
});

test.run();

function childrenOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const words = threads.map((id) => readFileSync(`/proc/${pid}/task/${id}/children`, 'utf8'));
  return words.join(' ').split(/\s+/).filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Asks again until it is so, for 30 s. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await setTimeout(50)) if (await isSo()) return;
  throw new Error('it did not become so in 30 s');
}
