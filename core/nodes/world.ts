// What everything about nodes works with.
import type { Cluster, Place } from '../capabilities/cluster.ts';
import type { Hypervisor } from '../capabilities/hypervisor.ts';
import type { Notes, Pool, Storage } from '../capabilities/storage.ts';
import type { Alarms } from '../disks/alarms.ts';
import { type Entry, here, readEntry, readPlace } from '../disks/entry.ts';
import { asSltvError, coreErrors } from '../errors.ts';
import type { Event } from '../kernel/capability.ts';
import type { Log } from '../log.ts';
import type { Node } from '../node.ts';
import type { Runner } from '../run.ts';
import type { FenceAgent } from './agent.ts';

export interface NodesWorld {
  readonly storages: readonly Storage[];
  readonly cluster: Cluster | undefined;
  readonly hypervisor: Hypervisor | undefined;
  readonly node: Node;
  readonly run: Runner;
  readonly log: Log;
  readonly alarms: Alarms;
  /** Turns hosts off; undefined: only a person's word does. */
  readonly agent: FenceAgent | undefined;
  /** What a node that finds itself fenced does with guests whose disks others may have. */
  readonly whenFenced: 'destroy' | 'alarm';
  /** By id, as they were seen last. */
  readonly poolNames: Map<string, string>;
  /** When this daemon had a node's end proven, by name. */
  readonly provenAt: Map<string, Date>;
  /** Lives, as notes, of whose fence this daemon's plugins were told. */
  readonly told: Set<string>;
  /** Fires when the daemon stops. */
  readonly life: AbortSignal;
  emit<T>(event: Event<T>, what: T): void;
}

/** A pool that other hosts see, too, with what it says. */
export interface SharedPool {
  readonly pool: Pool;
  readonly notes: Notes;
  readonly entries: readonly Entry[];
}

/** The cluster. Errors: `core/no-cluster`. */
export function clusterOf(world: NodesWorld): Cluster {
  if (world.cluster) return world.cluster;
  throw coreErrors('no-cluster', 'this host shares its pools with no other', {
    hint: 'a cluster is made by a plugin in sltv.config.ts: docs/clustering.md',
  });
}

/** All shared pools that can be read; the others are said in the log. */
export async function sharedPools(world: NodesWorld, signal: AbortSignal): Promise<readonly SharedPool[]> {
  const pools = (await Promise.all(world.storages.map((storage) => storage.pools(signal)))).flat();
  const read = await Promise.all(pools.map((pool) => readShared(world, pool, signal)));
  return read.flatMap((pool) => pool ?? []);
}

async function readShared(world: NodesWorld, pool: Pool, signal: AbortSignal): Promise<SharedPool | undefined> {
  try {
    const facts = await pool.facts(signal);
    if (!facts.isShared) return undefined;
    const entries = (await pool.volumes(signal)).flatMap((volume) => readEntry(volume) ?? []);
    return { pool, notes: facts.notes ?? {}, entries };
  } catch (error) {
    signal.throwIfAborted();
    world.log.warn('a pool could not be read', { pool: pool.name, error: asSltvError(error) });
    return undefined;
  }
}

/** The lives of a node that a disk's notes name: where it may be active, and what has begun with it. */
export const livesNamed = ({ on, intent }: Entry, node: string): readonly Place[] =>
  [...on, ...(intent ? [intent] : [])].filter((place) => place.node === node);

/** The nodes that are, or were, members as far as a pool knows. */
export const membersNamed = ({ notes }: Pick<SharedPool, 'notes'>): readonly string[] =>
  (notes.member ?? []).map((note) => readPlace(note).node);

export const isSame = (a: Place, b: Place): boolean => a.node === b.node && a.boot === b.boot;

/** This node in this life. */
export const self = ({ node }: NodesWorld): Place => here(node);
