// A disk's volume grows; on a thick disk the guest sees it at once.
import { type Disk, DiskExtended } from '../capabilities/disks.ts';
import type { BlockStatistics } from '../capabilities/hypervisor.ts';
import { isAt, type Pool, type Writer } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { formatSize } from '../units.ts';
import { type Entry, nameOf, timeNote, toDisk } from './entry.ts';
import { tellOfSize } from './forward.ts';
import { turnOf } from './turns.ts';
import { findDisk, freshEntry, hypervisorOf, isHere, mustBeHere, mustHaveData, type World } from './world.ts';

export interface ExtendRequest {
  readonly name: string;
  readonly size?: bigint | undefined;
  readonly delta?: bigint | undefined;
}

/** May refuse, inside the turn, that a volume grows to a size. */
type Judge = (pool: Pool, writer: Writer, entry: Entry, size: bigint) => Promise<void>;

/**
 * Grows to `size` or by `delta` bytes; the size that is there already changes nothing. It needs no intent: it is absolute
 * and only ever grows. Errors: `core/bad-size`, `core/no-shrink`, `core/disk-missing`, `core/disk-busy`, the pool's own.
 */
export async function extend(
  world: World,
  request: ExtendRequest,
  call: Call,
  judge: Judge = async () => {},
): Promise<Disk> {
  mustBeOneOfTwo(request);
  const past = await world.journal.recall(call.requestId, 'disk.extend', request);
  const { pool, entry } = await findDisk(world, request.name, call.signal);
  const { name, size: from } = entry.volume;
  const grown = await pool.change(turnOf(call), async (writer) => {
    const fresh = freshEntry(await writer.find(name), request.name);
    mustHaveData(fresh);
    // Whoever shares the pool is told; a host that shares none has to be the one.
    if (fresh.owner && !world.cluster) mustBeHere(world, fresh);
    const target = past?.size === undefined ? targetOf(request, fresh) : BigInt(past.size);
    if (target <= fresh.volume.size) return fresh;
    await judge(pool, writer, fresh, target);
    await world.journal.decide({
      requestId: call.requestId,
      operation: 'disk.extend',
      asked: request,
      pool: pool.name,
      name,
      disk: fresh.id,
      size: String(target),
    });
    const volume = await writer.extend(name, target);
    const extendedAt = new Date();
    world.lateNotes.set(pool.name, name, { extended: [timeNote(extendedAt)] });
    return { ...freshEntry(volume, request.name), extendedAt };
  });
  if (isHere(world, grown)) await showGuest(world, grown, world.life);
  await tellOfSize(world, pool, grown);
  const disk = toDisk(grown);
  if (disk.size > from) world.emit(DiskExtended, { disk, from, automatic: false });
  return disk;
}

/**
 * Tells a running guest the size of its thick disk; harmless when it knows. A thin disk's guest sees no volume; one that may
 * only read can't be told, and finds out at its next start.
 */
export async function showGuest(world: World, entry: Entry, signal: AbortSignal): Promise<void> {
  if (entry.format !== 'raw' || !entry.owner) return;
  const hypervisor = hypervisorOf(world);
  const seen = guestBehind(entry, await hypervisor.statistics(signal));
  if (seen) await hypervisor.resize(seen.vm, seen.target, entry.volume.size, signal);
}

/** The device by which a running guest sees less of its thick disk than there is; undefined when none does. */
export function guestBehind(
  { owner, volume, readOnly }: Entry,
  statistics: readonly BlockStatistics[],
): BlockStatistics | undefined {
  if (readOnly) return undefined;
  const seen = statistics.find((device) => device.vm === owner?.vm && isAt(volume, device.path));
  return seen?.capacity !== undefined && seen.capacity < volume.size ? seen : undefined;
}

function mustBeOneOfTwo({ size, delta }: ExtendRequest): void {
  if ((size === undefined) === (delta === undefined)) {
    throw coreErrors('bad-size', 'an extension is either to a size or by a delta', {
      hint: '--size 20G, or --delta +10G',
    });
  }
  if ((size ?? delta ?? 0n) <= 0n) throw coreErrors('bad-size', 'an extension is to a size, or by a delta, above 0');
}

function targetOf({ size, delta = 0n }: ExtendRequest, fresh: Entry): bigint {
  if (size === undefined) return fresh.volume.size + delta;
  if (size < fresh.volume.size) {
    throw coreErrors('no-shrink', `${nameOf(fresh)} has ${formatSize(fresh.volume.size)}; a disk never shrinks`, {
      hint: `give a size above ${formatSize(fresh.volume.size)}`,
    });
  }
  return size;
}
