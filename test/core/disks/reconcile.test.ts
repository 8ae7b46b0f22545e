// What the daemon does with disks that nobody has, at its start.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../../core/units.ts';
import { call, type House, makeHouse } from './house.ts';

/** A house in which a crash left the volume of an unattached disk active. */
async function withIdle(work: (house: House, path: string) => Promise<void>): Promise<void> {
  await using house = await makeHouse();
  const { disks, world } = house.daemon();
  const { path } = await disks.create({ name: 'd', mode: 'thick', size: 4n * MiB }, call());
  const [pool] = (await world.storages[0]?.pools(call().signal)) ?? [];
  await pool?.activate('d', call().signal);
  await work(house, path);
}

test('a volume that a crash left active is put to rest at the next start', () =>
  withIdle(async (house, path) => {
    assert.ok(house.pools.active.has(path));
    await house.daemon().start();
    assert.not.ok(house.pools.active.has(path));
  }));

test('a disk that somebody gave to a running guest by hand stays active', () =>
  withIdle(async (house, path) => {
    house.vms.on.disks = [{ target: 'vdb', path, format: 'raw', readOnly: false, live: true, persistent: false }];
    await house.daemon().start();
    assert.ok(house.pools.active.has(path));
  }));

test('the start asks nothing of a hypervisor that may be waiting for the daemon, though a guest has a thick disk', async () => {
  await using house = await makeHouse();
  const { disks } = house.daemon();
  await disks.create({ name: 'd', mode: 'thick', size: 4n * MiB }, call());
  await disks.attach({ disk: 'd', vm: 'web', readOnly: false }, call());
  const asked: string[] = [];
  const next = house.daemon();
  const { hypervisor } = next.world;
  assert.ok(hypervisor);
  hypervisor.statistics = async () => {
    asked.push('statistics');
    return [];
  };
  await next.start();
  assert.equal(asked, []);
  await next.reconcile();
  assert.equal(asked, ['statistics']);
});

test.run();
