// Which disk is in which VM, as the storage has it.
import type { Attachment } from '../capabilities/disks.ts';
import type { Call } from '../kernel/verb.ts';
import type { Entry } from './entry.ts';
import { allPools, findDisk, findVm, volumesOf, type World } from './world.ts';

/** Attachments of a disk, of a VM (by name or uuid), of both, or all. Errors: `core/disk-missing`, `core/vm-missing`. */
export async function attachments(
  world: World,
  request: { disk?: string | undefined; vm?: string | undefined },
  call: Call,
): Promise<readonly Attachment[]> {
  const entries = request.disk
    ? [(await findDisk(world, request.disk, call.signal)).entry]
    : await allEntries(world, call.signal);
  const isWanted = ({ owner }: Entry) =>
    owner && (!request.vm || owner.vm === request.vm || owner.vmName === request.vm);
  const wanted = entries.filter(isWanted);
  // A VM that is no more may still have disks; one that neither has any nor is there was mistyped.
  if (wanted.length === 0 && request.vm && world.hypervisor) await findVm(world, request.vm, call.signal);
  return wanted
    .map((entry) => attachmentOf(world, entry))
    .sort((a, b) => compare(a.vmName, b.vmName) || compare(a.target, b.target));
}

/** The attachment that a disk with an owner is. */
export function attachmentOf(world: World, entry: Entry): Attachment {
  return {
    pool: entry.volume.pool,
    disk: entry.volume.name,
    vm: entry.owner?.vm ?? '',
    vmName: entry.owner?.vmName ?? '',
    // After a fence no host has it, until its VM starts somewhere.
    node: entry.on[0]?.node ?? (world.cluster ? '' : world.node.id),
    target: entry.owner?.target ?? '',
    readOnly: entry.readOnly,
    attachedAt: entry.attachedAt,
  };
}

/** Every disk of every pool, sorted by name. */
export async function allEntries(world: World, signal: AbortSignal, pool?: string): Promise<readonly Entry[]> {
  const pools = (await allPools(world, signal)).filter((candidate) => pool === undefined || candidate.name === pool);
  const volumes = (await Promise.all(pools.map((candidate) => volumesOf(candidate, signal)))).flat();
  return volumes
    .flatMap((volume) => world.known.entryOf(volume) ?? [])
    .sort((a, b) => compare(a.volume.pool, b.volume.pool) || compare(a.volume.name, b.volume.name));
}

/** By code units: a locale's order of a thousand names takes longer than all else that a list does. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
