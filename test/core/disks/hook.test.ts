import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runHook } from '../../../core/disks/hook.ts';
import { MiB } from '../../../core/units.ts';
import type { MemoryVm } from '../../fixtures/memory-hypervisor.ts';
import { memoryStorage } from '../../fixtures/memory-storage.ts';
import { call, failure, type House, makeHouse } from './house.ts';

const test = suite("the hypervisor's hook");
const inHouse = (title: string, work: (house: House) => Promise<void>) =>
  test(title, async () => {
    await using house = await makeHouse();
    const { disks } = house.daemon();
    await disks.create({ name: 'd', mode: 'thick', size: MiB }, call());
    await work(house);
  });

const pathOf = (house: House) => `${house.pools.directory}/dev/mem/d`;

/** The hook in a process of its own: no daemon, no hypervisor. */
const hook = (house: House, step: 'starting' | 'stopped', vm: MemoryVm, node = 'n1', paths = [pathOf(house)]) =>
  runHook(
    {
      storages: [memoryStorage(house.pools)],
      node: { ...house.daemon().world.node, id: node },
      log: house.daemon().world.log,
      signal: call().signal,
    },
    { vm: { uuid: vm.uuid, name: vm.name }, step, paths },
  );

inHouse('before a VM starts its disks are active, after it stopped they are not, without a commit', async (house) => {
  const { off } = house.vms;
  await house.daemon().disks.attach({ disk: 'd', vm: off.uuid, readOnly: false }, call());
  const commits = house.pools.commits.length;
  await hook(house, 'starting', off);
  assert.is(house.pools.active.size, 1);
  await hook(house, 'starting', off);
  await hook(house, 'stopped', off);
  assert.is(house.pools.active.size, 0);
  await hook(house, 'stopped', off);
  assert.is(house.pools.commits.length, commits);
});

inHouse("another VM's disk refuses the start with a sentence, and nothing is active", async (house) => {
  await house.daemon().disks.attach({ disk: 'd', vm: 'db', readOnly: false }, call());
  const error = await failure(hook(house, 'starting', house.vms.on));
  assert.is(error.code, 'core/disk-attached');
  assert.match(error.message, 'disk mem/d belongs to db, not to web');
  assert.is(house.pools.active.size, 0);
});

inHouse('a disk that is attached to nobody refuses the start', async (house) => {
  assert.is((await failure(hook(house, 'starting', house.vms.on))).code, 'core/attachment-missing');
});

inHouse('a start on another node than the one that holds the disk is refused', async (house) => {
  const { off } = house.vms;
  await house.daemon().disks.attach({ disk: 'd', vm: off.uuid, readOnly: false }, call());
  const error = await failure(hook(house, 'starting', off, 'n2'));
  assert.is(error.code, 'core/disk-elsewhere');
  assert.match(error.message, 'node n1');
});

inHouse('a VM without disks of ours starts', async (house) => {
  await hook(house, 'starting', house.vms.on, 'n1', ['/dev/sda', '/var/lib/images/a.qcow2']);
  await hook(house, 'starting', house.vms.on, 'n1', []);
});

inHouse('a disk that is still open after the VM stopped stays active, and the hook ends well', async (house) => {
  const { off } = house.vms;
  const { disks } = house.daemon();
  await disks.attach({ disk: 'd', vm: off.uuid, readOnly: false }, call());
  await hook(house, 'starting', off);
  const volume = house.pools.pools.get('mem')?.get('d');
  assert.ok(volume);
  using _held = house.pools.hold(volume);
  await hook(house, 'stopped', off);
  assert.is(house.pools.active.size, 1);
});

test.run();
