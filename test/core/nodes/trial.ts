// Nodes' part of a daemon, over the hosts in memory.

import { suite } from 'uvu';
import type { Nodes } from '../../../core/capabilities/nodes.ts';
import { createAlarms } from '../../../core/disks/alarms.ts';
import { nodesOf } from '../../../core/nodes/index.ts';
import { round } from '../../../core/nodes/watch.ts';
import type { NodesWorld } from '../../../core/nodes/world.ts';
import { MiB } from '../../../core/units.ts';
import type { Fault } from '../../fixtures/memory-storage.ts';
import { type Host, type Hosts, makeHosts } from '../disks/hosts.ts';
import { call, type Daemon } from '../disks/house.ts';

export interface Beside {
  readonly daemon: Daemon;
  readonly world: NodesWorld;
  readonly nodes: Nodes;
  /** What was emitted. */
  readonly events: string[];
  /** What a daemon does every few seconds. */
  round(): Promise<void>;
}

/** A daemon of this host, with nodes. */
export function beside(host: Host, more: Partial<NodesWorld> = {}, fault?: Fault): Beside {
  const daemon = host.daemon(fault);
  const events: string[] = [];
  const { storages, cluster, hypervisor, node, run, log, life } = daemon.world;
  const world: NodesWorld = {
    storages,
    cluster,
    hypervisor,
    node,
    run,
    log: { ...log, warn: () => {}, error: () => {} },
    alarms: createAlarms({ ...log, error: () => {} }),
    agent: undefined,
    whenFenced: 'destroy',
    poolNames: new Map(),
    provenAt: new Map(),
    told: new Set(),
    life,
    emit: ({ id }) => void events.push(id),
    ...more,
  };
  return { daemon, world, nodes: nodesOf(world), events, round: () => round(world) };
}

export const onHosts = (title: string) => {
  const test = suite(title);
  return Object.assign(
    (fact: string, work: (hosts: Hosts) => Promise<void>) =>
      test(fact, async () => {
        await using hosts = await makeHosts();
        await work(hosts);
      }),
    { run: () => test.run(), plain: test },
  );
};

export const create = ({ daemon }: Beside, name = 'd') =>
  daemon.disks.create({ name, mode: 'thick', size: 8n * MiB }, call());
export const attach = ({ daemon }: Beside, vm: string, disk = 'd') =>
  daemon.disks.attach({ disk, vm, readOnly: false }, call());
export const poolNotes = (hosts: Hosts) => hosts.pools.shared?.notes.get('mem') ?? {};
