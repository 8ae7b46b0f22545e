// One disk, held against what its VM really has.
import type { Disk, DiskState } from '../capabilities/disks.ts';
import type { Call } from '../kernel/verb.ts';
import { type Entry, readEntry, stateOf, toDisk, withLater } from './entry.ts';
import { diskInVm, findDisk, isHere, type World } from './world.ts';

/** Errors: `core/disk-missing`, `core/disk-ambiguous`, `core/disk-foreign`. */
export async function show(world: World, request: { name: string }, call: Call): Promise<Disk> {
  const { entry } = await findDisk(world, request.name, call.signal);
  return toDisk(withLateNotes(world, entry), await observedState(world, entry, call.signal));
}

/** The entry with what this daemon knows and has not written yet. */
export function withLateNotes(world: World, entry: Entry): Entry {
  const { volume } = entry;
  const late = world.lateNotes.pending(volume.pool, volume.name);
  if (Object.keys(late).length === 0) return entry;
  return readEntry({ ...volume, notes: withLater(volume.notes, late) }) ?? entry;
}

/** `conflict` when a disk at rest has an owner here that doesn't have it: a hand has been at work. */
async function observedState(world: World, entry: Entry, signal: AbortSignal): Promise<DiskState> {
  if (!entry.owner || entry.intent || !isHere(world, entry) || !world.hypervisor) return stateOf(entry);
  const device = await diskInVm(world.hypervisor, entry.owner.vm, entry, signal).catch(() => 'unknown' as const);
  return device === undefined ? 'conflict' : stateOf(entry);
}
