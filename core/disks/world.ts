// What every operation on disks works with.
import type { Cluster } from '../capabilities/cluster.ts';
import type { Hypervisor, Vm, VmDisk } from '../capabilities/hypervisor.ts';
import { isAt, type Pool, type Storage, type Volume } from '../capabilities/storage.ts';
import { asSltvError, coreErrors, type SltvError } from '../errors.ts';
import type { Event, Gate } from '../kernel/capability.ts';
import type { Log } from '../log.ts';
import type { Node } from '../node.ts';
import type { Runner } from '../run.ts';
import type { Alarms } from './alarms.ts';
import type { Entry } from './entry.ts';
import { nameOf, readEntry, stateOf } from './entry.ts';
import type { Journal } from './journal.ts';
import type { Known } from './known.ts';
import type { LateNotes } from './late-notes.ts';
import type { Limits } from './limits.ts';
import type { Promises } from './promises.ts';
import type { Turns } from './turns.ts';

export interface World {
  readonly storages: readonly Storage[];
  readonly hypervisor: Hypervisor | undefined;
  /** The nodes that share pools; undefined on a host that shares none. */
  readonly cluster: Cluster | undefined;
  readonly node: Node;
  readonly run: Runner;
  readonly log: Log;
  readonly journal: Journal;
  /** One operation at a time on one disk, within this daemon. */
  readonly turns: Turns;
  readonly lateNotes: LateNotes;
  readonly known: Known;
  /** What other nodes were promised. */
  readonly promises: Promises;
  readonly alarms: Alarms;
  readonly defaultPool: string | undefined;
  /** First physical size of a thin disk, bytes. */
  readonly thinInitialSize: bigint;
  readonly limits: Limits;
  /** How long a guest may take to release a disk before `detach` answers without it, milliseconds. */
  readonly detachPatience: number;
  /** Fires when the daemon stops. What has begun to commit goes on under it when its caller has gone. */
  readonly life: AbortSignal;
  ask<T>(gate: Gate<T>, what: T, signal: AbortSignal): Promise<void>;
  emit<T>(event: Event<T>, what: T): void;
}

/** A disk and the pool it is in. */
export interface Found {
  readonly pool: Pool;
  readonly entry: Entry;
}

/** All pools of this host, in the order of the config; `wanted` as storages take it. */
export async function allPools(
  world: Pick<World, 'storages'>,
  signal: AbortSignal,
  wanted?: string,
): Promise<readonly Pool[]> {
  return (await Promise.all(world.storages.map((storage) => storage.pools(signal, wanted)))).flat();
}

/** The pool of that name; without a name the configured default, else the first. Errors: `core/pool-missing`. */
export async function findPool(world: World, name: string | undefined, signal: AbortSignal): Promise<Pool> {
  const wanted = name ?? world.defaultPool;
  const pools = await allPools(world, signal, wanted);
  const pool = wanted === undefined ? pools[0] : pools.find((candidate) => candidate.name === wanted);
  if (pool) return pool;
  if (wanted !== undefined) throw missingPool(world.storages, wanted, pools);
  throw coreErrors('pool-missing', 'this host has no pool', { hint: 'sltv pool create NAME /dev/…' });
}

/** What to say of a pool that is not among those there are. */
export function missingPool(storages: readonly Storage[], name: string, pools: readonly Pool[]): SltvError {
  const known = storages.map((storage) => storage.absence?.(name)).find((reason) => reason !== undefined);
  if (known) return known;
  const names = pools.map((pool) => pool.name).join(', ');
  return coreErrors('pool-missing', `there is no pool ${name} on this host`, {
    hint: names === '' ? `sltv pool create ${name} /dev/…` : `pools here: ${names}`,
  });
}

/** The volumes of a pool among others: one that has just gone has none. Errors: the pool's own. */
export async function volumesOf(pool: Pool, signal: AbortSignal): Promise<readonly Volume[]> {
  try {
    return await pool.volumes(signal);
  } catch (error) {
    if (asSltvError(error).kind === 'not-found') return [];
    throw error;
  }
}

/**
 * The disk that a user means by `pool/name`, or by a bare name that is unique on this host.
 * Errors: `core/disk-missing`, `core/disk-ambiguous` with the candidates, `core/disk-foreign` for a volume that is no disk.
 */
export async function findDisk(world: World, name: string, signal: AbortSignal): Promise<Found> {
  const slash = name.indexOf('/');
  const bare = name.slice(slash + 1);
  if (slash === 0 || bare === '') {
    throw coreErrors('bad-name', `'${name}' names no disk`, { hint: 'a disk is NAME or POOL/NAME: sltv disk list' });
  }
  const pools = slash < 0 ? await allPools(world, signal) : [await findPool(world, name.slice(0, slash), signal)];
  const look = slash < 0 ? volumesOf : (pool: Pool) => pool.volumes(signal);
  const volumes = (
    await Promise.all(
      pools.map(async (pool) =>
        (await look(pool, signal)).filter((v) => v.name === bare).map((volume) => ({ pool, volume })),
      ),
    )
  ).flat();
  const found = volumes.flatMap(({ pool, volume }) => {
    const entry = readEntry(volume);
    return entry ? [{ pool, entry }] : [];
  });
  if (found.length > 1) {
    const candidates = found.map(({ entry }) => nameOf(entry)).join(', ');
    throw coreErrors('disk-ambiguous', `several pools have a disk ${bare}: ${candidates}`, {
      hint: 'name it as POOL/DISK',
    });
  }
  if (found[0]) return found[0];
  const foreign = volumes[0]?.volume;
  if (foreign) throw foreignVolume(foreign);
  throw coreErrors('disk-missing', `there is no disk ${name}`, { hint: 'sltv disk list' });
}

/** The disk as it stands now, for who is about to commit. Errors: as findDisk, and `core/format-newer`. */
export function freshEntry(volume: Volume | undefined, name: string): Entry {
  if (!volume) throw coreErrors('disk-missing', `there is no disk ${name}`, { hint: 'sltv disk list' });
  const entry = readEntry(volume);
  if (!entry) throw foreignVolume(volume);
  if (entry.isNewer) {
    throw coreErrors('format-newer', `${name} was written by a newer sltv, which this one must not change`, {
      hint: 'upgrade sltv on this host',
    });
  }
  return entry;
}

/** The disk of that name in a pool, read without a turn; `asked`: what its user calls it. Errors: as freshEntry, and the pool's. */
export async function entryIn(
  pool: Pool,
  name: string,
  signal: AbortSignal,
  asked = `${pool.name}/${name}`,
): Promise<Entry> {
  const volume = (await pool.volumes(signal)).find((candidate) => candidate.name === name);
  return freshEntry(volume, asked);
}

/** Refuses a disk on which an operation has begun and not ended. Errors: `core/disk-busy`. */
export function mustBeAtRest(entry: Entry): void {
  if (!entry.intent) return;
  const isLeaving = entry.owner !== undefined && entry.intent.operation === 'detach';
  throw coreErrors('disk-busy', `${nameOf(entry)} is ${stateOf(entry)} and must come to rest first`, {
    hint: isLeaving
      ? `that ends when the guest of ${entry.owner?.vmName} lets go of it, or the VM is off`
      : `sltv disk show ${nameOf(entry)}, and try again`,
  });
}

/** Refuses a disk that is not there yet, or on its way out. Errors: `core/disk-busy`. */
export function mustHaveData(entry: Entry): void {
  const state = stateOf(entry);
  if (state !== 'creating' && state !== 'adopting' && state !== 'deleting' && state !== 'wiping') return;
  throw coreErrors('disk-busy', `${nameOf(entry)} is ${state}`, {
    hint: `sltv disk show ${nameOf(entry)}, and try again`,
  });
}

/** Refuses a thick disk, which has nothing in it that grows. Errors: `core/unsupported`. */
export function mustBeThin(entry: Entry): void {
  if (entry.format === 'qcow2') return;
  throw coreErrors('unsupported', `${nameOf(entry)} is thick: only a thin disk grows as it is written`);
}

/** The lock's name for commands that write data into a pool's volumes. */
export const dataLock = (pool: Pool): string => `data-${pool.name}`;

function foreignVolume(volume: Volume) {
  if (volume.problem) return volume.problem;
  return coreErrors('disk-foreign', `${volume.pool}/${volume.name} is a volume that sltv did not make`, {
    hint: `in an lvm pool sltv disk adopt ${volume.pool}/${volume.name} makes a disk of it; else choose another name, or remove or rename it by hand`,
  });
}

/** Whether this node may have it active, in this life or by an earlier one's note. */
export const isHere = ({ node }: Pick<World, 'node'>, entry: Entry): boolean =>
  entry.on.some((place) => place.node === node.id);

/** Refuses a disk that another node may have active. Errors: `core/disk-elsewhere`. */
export function mustBeHere(world: Pick<World, 'node'>, entry: Entry): void {
  const elsewhere = entry.on.find((place) => place.node !== world.node.id);
  if (!elsewhere) return;
  throw coreErrors('disk-elsewhere', `${nameOf(entry)} is held by node ${elsewhere.node}`, {
    hint: `run this on ${elsewhere.node}`,
  });
}

/** The hypervisor. Errors: `core/no-provider`. */
export function hypervisorOf(world: World): Hypervisor {
  if (world.hypervisor) return world.hypervisor;
  throw coreErrors('no-provider', 'no plugin of this daemon runs VMs', {
    hint: 'add libvirt() to plugins in sltv.config.ts',
  });
}

/** The VM of that name or uuid. Errors: `core/vm-missing`. */
export async function findVm(world: World, name: string, signal: AbortSignal): Promise<Vm> {
  const vm = await hypervisorOf(world).find(name, signal);
  if (vm) return vm;
  throw coreErrors('vm-missing', `there is no VM ${name} on this host`, { hint: 'sltv vm list' });
}

/** What the VM has of that disk; undefined when it has none of it, or the VM is no more. */
export async function diskInVm(
  hypervisor: Hypervisor,
  vm: string,
  entry: Entry,
  signal: AbortSignal,
): Promise<VmDisk | undefined> {
  try {
    return (await hypervisor.disks(vm, signal)).find((disk) => isAt(entry.volume, disk.path));
  } catch (error) {
    if (asSltvError(error).kind === 'not-found') return undefined;
    throw error;
  }
}
