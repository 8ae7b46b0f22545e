// A thin disk's volume grows by itself, for a guest that is about to fill it.
import { type Disk, DiskExtended } from '../capabilities/disks.ts';
import type { Pool, Volume, Writer } from '../capabilities/storage.ts';
import { larger, roundDown, roundUp, smaller } from '../units.ts';
import { timeNote, toDisk } from './entry.ts';
import { withLateNotes } from './show.ts';
import { findPool, freshEntry, mustBeHere, mustBeThin, mustHaveData, type World } from './world.ts';

export interface Wish {
  /** Bytes. */
  readonly to: bigint;
  readonly secondsToFull: number;
}

/**
 * Grows to `to` bytes or by what is left, ahead of all else that waits for the pool; a size that is reached changes nothing.
 * A guest waits behind it: so no gate, and nothing is synced on the way, since it is absolute and only ever grows.
 * Errors: `core/disk-missing`, `core/disk-busy`, `core/disk-elsewhere`, `core/unsupported` for a thick disk, the pool's own
 * when nothing is left.
 */
export async function grow(
  world: World,
  { pool: poolName, name }: Pick<Disk, 'pool' | 'name'>,
  { to, secondsToFull }: Wish,
  signal: AbortSignal,
): Promise<Disk> {
  const pool = await findPool(world, poolName, signal);
  const { from, grown } = await pool.change({ signal, urgency: { secondsToFull } }, async (writer) => {
    const entry = freshEntry(await writer.find(name), `${poolName}/${name}`);
    mustHaveData(entry);
    mustBeHere(world, entry);
    mustBeThin(entry);
    const { size } = entry.volume;
    if (to <= size) return { from: size, grown: entry };
    return { from: size, grown: freshEntry(await extendTowards(pool, writer, entry.volume, to, world.life), name) };
  });
  const { size } = grown.volume;
  if (size > from) world.lateNotes.set(poolName, name, { extended: [timeNote(new Date())] });
  const disk = toDisk(withLateNotes(world, grown));
  if (size > from) world.emit(DiskExtended, { disk, from, automatic: true });
  return disk;
}

/** Extends a volume to `to` bytes, or by what is left. Errors: the pool's own, `exhausted` when nothing is. */
export async function extendTowards(
  pool: Pool,
  writer: Writer,
  { name, size }: Volume,
  to: bigint,
  signal: AbortSignal,
): Promise<Volume> {
  const within = reach({ ...(await pool.facts(signal)), size, to });
  // Where nothing is left, the pool says so in its own words.
  return await writer.extend(name, within > size ? within : to);
}

/** How far a volume of `size` bytes that shall have `to` can get, in whole extents; never less than it has. */
export function reach(bytes: {
  readonly size: bigint;
  readonly to: bigint;
  readonly free: bigint;
  readonly extent: bigint;
}): bigint {
  const { size, to, free, extent } = bytes;
  return larger(size, smaller(roundUp(to, extent), roundDown(size + free, extent)));
}
