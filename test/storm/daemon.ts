// The daemon of one host of a storm: the real plugins, booted by the kernel, on a node that the storm made up.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'valibot';
import { Cluster } from '../../core/capabilities/cluster.ts';
import { Locks } from '../../core/capabilities/locks.ts';
import { type Pool, Storage } from '../../core/capabilities/storage.ts';
import { boot } from '../../core/kernel/boot.ts';
import { createBus } from '../../core/kernel/bus.ts';
import { definitionOf, type SettledPlugin } from '../../core/kernel/definition.ts';
import type { Plugin } from '../../core/kernel/plugin.ts';
import { createLog, type Log } from '../../core/log.ts';
import type { Node } from '../../core/node.ts';
import { createRunner } from '../../core/run.ts';
import etcdLock from '../../plugins/etcd-lock/index.ts';
import localLock from '../../plugins/local-lock/index.ts';
import lvm from '../../plugins/lvm/index.ts';
import leaseOnly from './lease-only.ts';

/** What keeps the hosts apart: our locks; leases alone; nothing. */
export type Protection = 'etcd-lock' | 'lease-only' | 'none';

export interface DaemonOptions {
  readonly node: Node;
  readonly vg: string;
  readonly protection: Protection;
  readonly endpoints: readonly string[];
  /** Seconds. */
  readonly ttl: number;
}

export interface Daemon {
  readonly pool: Pool;
  readonly locks: Locks;
  readonly cluster: Cluster | undefined;
}

/** Tries until it is up: it may be started while etcd is away, or sees this host's earlier boot still. */
export async function startDaemon(options: DaemonOptions, say: (line: string) => void): Promise<Daemon> {
  const { node, vg } = options;
  const life = new AbortController();
  const log = createLog({ level: 'debug', format: 'text', write: say });
  const run = createRunner({ lockDirectory: join(node.runDir, 'locks') });
  await run.orphans(log, life.signal);
  for (;;) {
    try {
      const plugins = [lvm({ vgs: [vg] }), lockPlugin(options)].map(settled);
      const booted = await boot({ plugins, bus: createBus(log), node, run, log });
      const [storage] = booted.all(Storage);
      const locks = booted.provided(Locks);
      const cluster = booted.provided(Cluster);
      if (!storage || !locks) throw new Error('a plugin is missing');
      cluster?.join({ version: 'storm', format: 1, addresses: [] });
      return { pool: await poolOf(storage, vg, log), locks, cluster };
    } catch (error) {
      log.warn('the daemon could not start, and tries again', { error });
      await sleep(AGAIN);
    }
  }
}

/** Milliseconds. */
const AGAIN = 300;

async function poolOf(storage: Storage, name: string, log: Log): Promise<Pool> {
  for (;;) {
    const pool = (await storage.pools(new AbortController().signal)).find((candidate) => candidate.name === name);
    if (pool) return pool;
    log.warn('the pool is not there yet', { name });
    await sleep(AGAIN);
  }
}

function lockPlugin({ protection, endpoints, ttl }: DaemonOptions): Plugin {
  switch (protection) {
    case 'etcd-lock':
      return etcdLock({ endpoints: [...endpoints], ttl });
    case 'lease-only':
      return leaseOnly({ endpoints: [...endpoints], ttl });
    case 'none':
      return localLock();
  }
}

function settled(plugin: Plugin): SettledPlugin {
  const definition = definitionOf(plugin);
  if (typeof definition === 'string') throw new Error(definition);
  return { definition, options: definition.options ? parse(definition.options, plugin.given) : {} };
}
