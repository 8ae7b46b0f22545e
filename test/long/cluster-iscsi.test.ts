// Three hosts over a storage network: the LUN is behind real iSCSI, and a host that is cut off loses it together with etcd.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import { succeed } from '../e2e/api.ts';
import { askAll, configOf, listed, POOL, startOwn, thick, vgck } from '../e2e/cluster-bed.ts';
import { type Cluster, type Guest, type Host, testbed } from '../testbed/index.ts';

const test = suite('one Volume Group behind iSCSI');

let cluster: Cluster;
let first: Host;
let second: Host;
let guest: Guest;

test.before(async () => {
  cluster = await testbed.cluster({
    name: 'storage-net',
    hosts: 3,
    lun: '2G',
    transport: 'iscsi',
    host: (self) => ({ memory: 768, files: configOf(self) }),
  });
  first = cluster.host(1);
  second = cluster.host(2);
  await Promise.all(cluster.hosts.map(startOwn));
});

test.after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

test('a pool that one host makes on the LUN is the others’, too, and all make disks at the same time', async () => {
  await first.run(`sltv pool create ${POOL} ${cluster.lun}`);
  await Promise.all(cluster.hosts.map((host) => host.run(`until sltv pool show ${POOL}; do sleep 0.3; done`)));
  const answers = await Promise.all(
    cluster.hosts.map((host) =>
      askAll(
        host,
        [1, 2, 3].map((n) => thick(`${host.name}-${n}`)),
      ),
    ),
  );
  for (const { status, text } of answers.flat()) assert.is(status, 200, text);
  for (const host of cluster.hosts) assert.is((await listed(host)).size, 9, host.name);
});

test('a guest whose host is cut off from storage and etcd goes on when it is joined again', async () => {
  guest = await second.guest('web');
  await succeed(second, { method: 'AttachDisk', body: { diskName: 'hv1-1', vmName: 'web' } });
  await guest.write('2M', { mark: 1 });
  await cluster.cut(second);
  const writing = guest.write('4M', { at: '2M', mark: 2, timeout: 90_000 });
  await first.run(`sltv disk create meanwhile --pool ${POOL} --size 8M`);
  await cluster.join(second);
  await writing;
  await guest.verify('2M', { mark: 1 });
  await guest.verify('4M', { at: '2M', mark: 2 });
  assert.is((await second.run('virsh domstate web')).stdout.trim(), 'running');
});

test('it writes to the pool again, and sees what was made without it', async () => {
  await second.run(`sltv disk extend hv1-1 --size 16M --timeout 60s`, { timeout: 90_000 });
  assert.is(await guest.size(), 16n * MiB);
  assert.ok((await listed(second)).has('meanwhile'));
  await vgck(first);
});

test('a host that comes back from a power cut logs in again, and its VM starts through the hook', async () => {
  await second.powerCut();
  await second.boot();
  await guest.start();
  await guest.verify('2M', { mark: 1 });
  await startOwn(second);
  await guest.shutdown();
  await second.run('sltv disk detach hv1-1 web && sltv disk delete hv1-1');
  assert.not((await listed(first)).has('hv1-1'));
  await vgck(second);
});

test.run();
