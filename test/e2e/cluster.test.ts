// One Volume Group, several hosts that write to it: what users do there, at the same time, and when a host dies.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Cluster, type Guest, type Host, testbed } from '../testbed/index.ts';
import { bytes, succeed } from './api.ts';
import { askAll, configOf, listed, POOL, startOwn, thick, vgck, volumes } from './cluster-bed.ts';

const test = suite('one Volume Group, several hosts');
const thin = (name: string, virtual = 64) => ({
  method: 'CreateDisk',
  body: { name, vg: POOL, mode: 'PROVISION_MODE_THIN', sizeBytes: bytes(8), virtualSizeBytes: bytes(virtual) },
});
const remove = (name: string) => ({ method: 'DeleteDisk', body: { name: `${POOL}/${name}` } });

let cluster: Cluster;
let first: Host;
let second: Host;
let writer: Guest;

test.before(async () => {
  cluster = await testbed.cluster({
    name: 'shared',
    lun: '16G',
    host: (self) => ({ memory: 768, files: configOf(self) }),
  });
  first = cluster.host(1);
  second = cluster.host(2);
  await first.run(
    `vgcreate -q --addtag sltv:v=1 --addtag sltv:lock=local/$(cat /etc/machine-id) ${POOL} ${cluster.lun}`,
  );
  await Promise.all(cluster.hosts.map(startOwn));
});

test.after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

test('a pool of one host becomes one of all', async () => {
  const refused = await second.run(`sltv disk create early --pool ${POOL} --size 8M`, { allowFailure: true });
  assert.is(refused.code, 6, refused.stderr);
  await first.run(`sltv pool share ${POOL}`);
  for (const host of cluster.hosts) {
    const { stdout } = await host.run('sltv pool list');
    assert.match(stdout, POOL);
  }
});

test('what all create at the same time, every host lists', async () => {
  const wanted = cluster.hosts.map(({ name: node }) =>
    [1, 2, 3].flatMap((n) => [thick(`${node}-thick${n}`), thin(`${node}-thin${n}`)]),
  );
  const answers = await Promise.all(cluster.hosts.map((peer, n) => askAll(peer, wanted[n] ?? [])));
  for (const { status, text } of answers.flat()) assert.is(status, 200, text);
  const names = wanted
    .flat()
    .map(({ body }) => body.name)
    .toSorted();
  for (const peer of cluster.hosts) assert.equal([...(await listed(peer)).keys()].toSorted(), names, peer.name);
  assert.equal((await volumes(second)).toSorted(), names);
  await vgck(second);
});

test('a thin disk grows under a guest that writes while other hosts create and delete', async () => {
  writer = await second.guest('writer');
  await succeed(second, thin('growing', 8192));
  await succeed(second, { method: 'AttachDisk', body: { diskName: 'growing', vmName: 'writer' } });
  const events = second.start('virsh event --all --loop');
  let isWriting = true;
  const written = writer.write('2560M', { timeout: 240_000 }).finally(() => {
    isWriting = false;
  });
  let passed = 0;
  for (; isWriting; passed += 1) {
    for (const request of [thick('passing'), remove('passing')]) {
      const [answer] = await askAll(first, [request]);
      assert.is(answer?.status, 200, answer?.text);
    }
  }
  await written;
  console.log(`${passed} disks were made and deleted meanwhile`);
  assert.ok(passed > 0);
  assert.equal(
    events.seen.filter((line) => /Suspended/.test(line)),
    [],
    'the guest never stood still',
  );
  await writer.verify('2560M', { timeout: 240_000 });
  events.kill();
  await vgck(first);
});

test('a host that loses power in the middle of a commit holds the others up until it is fenced, and nothing else is lost', async () => {
  const web = await first.guest('web');
  await succeed(first, thin('moving', 256));
  await succeed(first, { method: 'AttachDisk', body: { diskName: 'moving', vmName: 'web' } });
  await web.write('32M', { mark: 5 });
  // LVM saves what it starts from, between reading and writing the metadata: there it stands still.
  await first.run(
    'modprobe loop && truncate -s 8M /root/slow && mkfs.ext4 -q /root/slow && mount -o loop /root/slow /etc/lvm/archive && fsfreeze -f /etc/lvm/archive',
  );
  first.start(`sltv disk create never --pool ${POOL} --size 8M`);
  await first.run('until ps -eo wchan:20=,comm= | grep -q "^percpu_rwsem.* lvm$"; do sleep 0.1; done');
  await first.powerCut();

  // Whoever waits is told for whom, and so is who looks meanwhile.
  const waiting = await second.run(
    `sltv disk create late --pool ${POOL} --size 8M --timeout 40s > /tmp/late 2>&1 &
     for i in $(seq 60); do sltv status | grep 'hv1 has the lock' && break; sleep 0.3; done
     wait; cat /tmp/late`,
    { timeout: 120_000 },
  );
  console.log(waiting.stdout, (await second.run('sltv node list; sltv status --cluster')).stdout);
  assert.match(waiting.stdout, 'core/timeout');
  assert.match(waiting.stdout, `node hv1 has the lock of pool ${POOL}`);
  await writer.write('64M', { at: '2560M', timeout: 60_000 });

  console.log((await second.run('sltv node fence hv1 --yes', { timeout: 90_000 })).stdout);
  await second.run(`sltv disk create late --pool ${POOL} --size 8M`);
  assert.not((await volumes(second)).includes('never'));
  await vgck(second);

  const moved = await second.guest('web', {
    uuid: web.uuid,
    start: false,
    disks: [{ path: `/dev/${POOL}/moving`, format: 'qcow2' }],
  });
  await moved.start();
  await moved.verify('32M', { mark: 5 });
});

test('the host that was fenced comes back as a member, and can not start what was taken over', async () => {
  await first.boot();
  await startOwn(first);
  for (const peer of cluster.hosts) assert.is((await listed(peer)).get('moving')?.state, 'owned', peer.name);
  const { code, stderr } = await first.run('virsh start web', { allowFailure: true, timeout: 60_000 });
  assert.is.not(code, 0);
  assert.match(stderr, 'hv2');
  await first.run(`sltv disk create again --pool ${POOL} --size 8M`);
});

test('all of it can be deleted, from any host, and nothing is left', async () => {
  await second.run('virsh -q destroy web && virsh -q destroy writer');
  await second.run('sltv disk detach moving web && sltv disk detach growing writer');
  const names = [...(await listed(first)).keys()];
  const answers = await Promise.all(
    cluster.hosts.map((peer, n) => askAll(peer, names.filter((_, at) => at % cluster.hosts.length === n).map(remove))),
  );
  for (const { status, text } of answers.flat()) assert.is(status, 200, text);
  assert.equal(await volumes(second), []);
  await vgck(first);
});

test.run();
