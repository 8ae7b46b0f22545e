import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Metric } from '../../../core/capabilities/metrics.ts';
import { metricsOf } from '../../../core/disks/metrics.ts';
import type { World } from '../../../core/disks/world.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { call, type Daemon, makeHouse } from './house.ts';

const test = suite('what is told of pools and disks');
const never = new AbortController().signal;

/** Pools of 1,000 MiB. */
const inHouse = (title: string, work: (daemon: Daemon) => Promise<void>) =>
  test(title, async () => {
    await using house = await makeHouse({ size: 1000n * MiB, source: 'block' });
    await work(house.daemon());
  });

const values = (metrics: readonly Metric[], name: string): Readonly<Record<string, number | bigint>> =>
  Object.fromEntries(
    metrics
      .find((metric) => metric.name === name)
      ?.samples.map(({ labels = {}, value }) => [[labels.pool, labels.disk].join('/'), value]) ?? [],
  );
const collect = (world: World) => metricsOf(world).collect(never);

inHouse('of a pool: its size, what is free and kept back, and what its disks promise', async ({ disks, world }) => {
  await disks.create({ name: 'a', pool: 'mem', mode: 'thin', size: 100n * MiB, virtualSize: 4n * GiB }, call());
  await disks.create({ name: 'b', pool: 'mem', mode: 'thick', size: 100n * MiB }, call());
  const metrics = await collect({ ...world, limits: { ...world.limits, reserve: '5%' } });
  const of = (what: string) => values(metrics, `sltv_pool_${what}`)['mem/'];
  assert.equal(['up', 'size_bytes', 'free_bytes', 'reserve_bytes', 'disks', 'virtual_bytes', 'writable'].map(of), [
    1,
    1000n * MiB,
    800n * MiB,
    50n * MiB,
    2,
    4n * GiB + 100n * MiB,
    1,
  ]);
  assert.is(of('overcommit_ratio'), 4196 / 1000);
  assert.is(values(metrics, 'sltv_pool_disks')['other/'], 0);
});

inHouse('of a disk: its sizes, and of a thin one how far it is known to be written', async ({ disks, world }) => {
  await disks.create({ name: 'a', pool: 'mem', mode: 'thin', size: 100n * MiB, virtualSize: 4n * GiB }, call());
  await disks.create({ name: 'b', pool: 'mem', mode: 'thick', size: 100n * MiB }, call());
  disks.noteEnd({ pool: 'mem', name: 'a' }, 7n * MiB);
  const metrics = await collect(world);
  assert.equal(values(metrics, 'sltv_disk_size_bytes'), { 'mem/a': 100n * MiB, 'mem/b': 100n * MiB });
  assert.equal(values(metrics, 'sltv_disk_virtual_bytes'), { 'mem/a': 4n * GiB, 'mem/b': 100n * MiB });
  assert.equal(values(metrics, 'sltv_disk_written_bytes'), { 'mem/a': 7n * MiB });
});

inHouse('a pool that can’t be read is down, and the others are told of all the same', async ({ world }) => {
  const [storage] = world.storages;
  if (!storage) throw new Error('the house has a storage');
  const broken = {
    ...storage,
    pools: async () =>
      (await storage.pools(never)).map((pool) =>
        pool.name === 'mem' ? { ...pool, facts: () => Promise.reject(new Error('its device is gone')) } : pool,
      ),
  };
  const metrics = await collect({ ...world, storages: [broken], log: { ...world.log, debug: () => {} } });
  assert.equal(values(metrics, 'sltv_pool_up'), { 'mem/': 0, 'other/': 1 });
  assert.equal(Object.keys(values(metrics, 'sltv_pool_size_bytes')), ['other/']);
});

inHouse('a pool that may not be written is told so', async ({ world }) => {
  const [storage] = world.storages;
  if (!storage) throw new Error('the house has a storage');
  const frozen = {
    ...storage,
    pools: async () =>
      (await storage.pools(never)).map((pool) => ({
        ...pool,
        facts: async () => ({ ...(await pool.facts(never)), readOnlyBecause: 'somebody wrote without the lock' }),
      })),
  };
  assert.equal(values(await collect({ ...world, storages: [frozen] }), 'sltv_pool_writable'), {
    'mem/': 0,
    'other/': 0,
  });
});

inHouse(
  'where a storage remembers its pools nobody looks for them, and of two by one name the first counts',
  async ({ world }) => {
    const [storage] = world.storages;
    if (!storage) throw new Error('the house has a storage');
    const known = await storage.pools(never);
    const remembering = { ...storage, pools: () => Promise.reject(new Error('it was looked for')), seen: () => known };
    const metrics = await collect({ ...world, storages: [remembering, storage] });
    assert.equal(values(metrics, 'sltv_pool_up'), { 'mem/': 1, 'other/': 1 });
  },
);

test.run();
