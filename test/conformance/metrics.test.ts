// Every source of metrics that we have, beside what it tells of: pools and disks in memory and on real lvm2, nodes, guests, etcd.
import { metricsOf as ofDisks } from '../../core/disks/metrics.ts';
import { metricsOf as ofNodes } from '../../core/nodes/metrics.ts';
import { type MetricsUnderTest, metricsConformance } from '../../core/testing/index.ts';
import { MiB } from '../../core/units.ts';
import { metricsOf as ofGuests } from '../../plugins/autoextend/metrics.ts';
import { makeHosts } from '../core/disks/hosts.ts';
import { call, makeHouse } from '../core/disks/house.ts';
import { beside } from '../core/nodes/trial.ts';
import { nodesInMemory } from '../fixtures/etcd-nodes.ts';
import { guestWrites } from '../fixtures/memory-hypervisor.ts';
import { makeGuests } from '../plugins/autoextend/guests.ts';
import { loopVg, never } from '../plugins/lvm/fixture.ts';
import { register } from './uvu.ts';

interface OnLvm extends MetricsUnderTest {
  readonly processes: () => number;
}

register([
  ...metricsConformance({
    name: 'disks',
    async make() {
      const house = await makeHouse();
      const { disks, world } = house.daemon();
      for (const name of ['a', 'b']) await disks.create({ name, mode: 'thin', virtualSize: 64n * MiB }, call());
      return { source: ofDisks(world), [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() };
    },
  }),
  ...metricsConformance<OnLvm>({
    name: 'disks on lvm',
    make: makeOnLvm,
    processes: ({ processes }) => processes(),
  }),
  ...metricsConformance({
    name: 'nodes',
    async make() {
      const hosts = await makeHosts();
      beside(hosts.host('n1'));
      const { world } = beside(hosts.host('n2'));
      return {
        source: ofNodes(world, () => ['something is wrong']),
        [Symbol.asyncDispose]: () => hosts[Symbol.asyncDispose](),
      };
    },
  }),
  ...metricsConformance({
    name: 'autoextend',
    async make() {
      const guests = await makeGuests();
      guestWrites(guests.vm, 'vda', guests.size() - MiB);
      await guests.keeper.look();
      const collect = () => ofGuests(guests.keeper.guarded(), guests.clock.now);
      return { source: { name: 'autoextend', collect }, [Symbol.asyncDispose]: () => guests[Symbol.asyncDispose]() };
    },
  }),
  ...metricsConformance({
    name: 'etcd-lock',
    async make() {
      const nodes = nodesInMemory();
      const { metrics } = await nodes.open();
      return { source: metrics, [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose]() };
    },
  }),
]);

/** A VG with a disk, hours after it was looked for last. */
async function makeOnLvm(): Promise<OnLvm> {
  const house = await makeHouse();
  const vg = await loopVg();
  let hours = 0;
  const { storage, pool, take } = await vg.open({ now: () => performance.now() + hours * 3_600_000 });
  const notes = { v: ['1'], disk: ['d1'], fmt: ['raw'] };
  const volume = { name: 'a', size: 4n * MiB, notes, format: 'raw', active: false } as const;
  await (await pool()).change({ signal: never }, (writer) => writer.create(volume));
  hours += 1;
  let started = 0;
  const processes = () => {
    started += take().length;
    return started;
  };
  const { world } = house.daemon();
  return {
    source: ofDisks({ ...world, storages: [storage] }),
    processes,
    async [Symbol.asyncDispose]() {
      await vg[Symbol.asyncDispose]();
      await house[Symbol.asyncDispose]();
    },
  };
}
