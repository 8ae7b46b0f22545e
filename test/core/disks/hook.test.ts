import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Storage } from '../../../core/capabilities/storage.ts';
import { runHook } from '../../../core/disks/hook.ts';
import type { Log } from '../../../core/log.ts';
import { GiB, MiB } from '../../../core/units.ts';
import type { MemoryVm } from '../../fixtures/memory-hypervisor.ts';
import { memoryStorage } from '../../fixtures/memory-storage.ts';
import { keptLog } from '../kernel/kit.ts';
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
const hook = (house: House, step: 'starting' | 'stopped', vm: MemoryVm, by: By = {}) =>
  runHook(
    {
      storages: [by.storage ?? memoryStorage(house.pools)],
      cluster: undefined,
      promises: house.daemon().world.promises,
      node: { ...house.daemon().world.node, id: by.node ?? 'n1' },
      log: by.log ?? house.daemon().world.log,
      signal: call().signal,
    },
    { vm: { uuid: vm.uuid, name: vm.name }, step, paths: by.paths ?? [pathOf(house)] },
  );

interface By {
  readonly node?: string;
  readonly paths?: readonly string[];
  readonly storage?: Storage;
  readonly log?: Log;
}

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
  const error = await failure(hook(house, 'starting', off, { node: 'n2' }));
  assert.is(error.code, 'core/disk-elsewhere');
  assert.match(error.message, 'node n1');
});

inHouse('a VM without disks of ours starts', async (house) => {
  await hook(house, 'starting', house.vms.on, { paths: ['/dev/sda', '/var/lib/images/a.qcow2'] });
  await hook(house, 'starting', house.vms.on, { paths: [] });
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

/** A thin disk of a VM that is off, on block devices, with less room than a start needs. */
const withThin = (title: string, work: (house: House) => Promise<void>, size?: bigint) =>
  test(title, async () => {
    await using house = await makeHouse({ source: 'block', ...(size === undefined ? {} : { size }) });
    const { disks } = house.daemon();
    await disks.create({ name: 'd', mode: 'thin', virtualSize: 4n * GiB }, call());
    disks.noteEnd({ pool: 'mem', name: 'd' }, 40n * MiB);
    await disks.attach({ disk: 'd', vm: 'db', readOnly: false }, call());
    house.pools.commits.length = 0;
    await work(house);
  });

withThin('before a VM starts its thin disk gets the room that it lacks, once', async (house) => {
  await hook(house, 'starting', house.vms.off);
  await hook(house, 'starting', house.vms.off);
  assert.equal(house.pools.commits, ['extend mem/d']);
  assert.is(house.pools.pools.get('mem')?.get('d')?.size, 296n * MiB);
  assert.is(house.pools.active.size, 1);
});

withThin(
  'a VM starts also when its pool is full',
  async (house) => {
    const { log, lines } = keptLog();
    await hook(house, 'starting', house.vms.off, { log });
    assert.equal(house.pools.commits, []);
    assert.is(house.pools.active.size, 1);
    assert.match(lines[0]?.message ?? '', 'could not be given room for the start of its VM');
  },
  64n * MiB,
);

withThin('a VM starts also when the commit for its room fails', async (house) => {
  const storage = memoryStorage(house.pools, { at: 1, how: 'fail' });
  await hook(house, 'starting', house.vms.off, { storage });
  assert.is(house.pools.active.size, 1);
});

withThin('a VM starts also when its pool may not be written', async (house) => {
  const storage = memoryStorage(house.pools);
  const { log, lines } = keptLog();
  const [pool] = await storage.pools(call().signal);
  assert.ok(pool);
  const shut = { ...pool, change: () => Promise.reject(new Error('it belongs to another host')) };
  await hook(house, 'starting', house.vms.off, { storage: { ...storage, pools: async () => [shut] }, log });
  assert.match(lines[0]?.message ?? '', 'was given no room for the start of its VM');
  assert.is(house.pools.active.size, 1);
});

withThin('a start that is refused grows nothing', async (house) => {
  assert.is((await failure(hook(house, 'starting', house.vms.on))).code, 'core/disk-attached');
  assert.equal(house.pools.commits, []);
});

test.run();
