// Room for what a guest writes first: who grows its disks begins to watch only while it starts.
import { fullSizeAtMost } from '../capabilities/disks.ts';
import type { Pool, Writer } from '../capabilities/storage.ts';
import { asSltvError } from '../errors.ts';
import type { Log } from '../log.ts';
import { GiB, larger, MiB, smaller } from '../units.ts';
import { type Entry, nameOf } from './entry.ts';
import { extendTowards } from './grow.ts';
import { freshEntry } from './world.ts';

/** Whether a guest that starts with this disk would find too little room to write into. */
export function lacksHeadroom(pool: Pool, entry: Entry): boolean {
  return pool.source === 'block' && !entry.readOnly && sizeForStart(entry) > entry.volume.size;
}

/**
 * Grows a disk by the room that it lacks, or by what is left. A guest that starts with less may have to wait; one that does not
 * start waits longer: so a failure is logged, and the disk stays as it was.
 */
export async function giveHeadroom(pool: Pool, writer: Writer, entry: Entry, { log, signal }: By): Promise<Entry> {
  if (!lacksHeadroom(pool, entry)) return entry;
  const { volume } = entry;
  try {
    return freshEntry(await extendTowards(pool, writer, volume, sizeForStart(entry), signal), volume.name);
  } catch (error) {
    log.warn('a disk could not be given room for the start of its VM', {
      disk: nameOf(entry),
      vm: entry.owner?.vmName,
      error: asSltvError(error),
    });
    return entry;
  }
}

interface By {
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** The size, bytes, with which a disk has room for a start; 0 when it isn't known how far it is written. */
export function sizeForStart({ end, virtualSize }: Pick<Entry, 'end' | 'virtualSize'>): bigint {
  if (end === undefined) return 0n;
  const wanted = end + smaller(larger(virtualSize / 16n, 64n * MiB), GiB);
  const most = fullSizeAtMost(virtualSize);
  // Written beyond it, it holds more than what its guest sees: snapshots.
  return end < most ? smaller(wanted, most) : wanted;
}
