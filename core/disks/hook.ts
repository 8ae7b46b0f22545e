// What the hypervisor's hook does about a VM's disks, from the notes alone: it calls neither the hypervisor nor the daemon,
// since both may be waiting for it.
import type { VmTransition } from '../capabilities/hypervisor.ts';
import type { Pool, Storage, Volume } from '../capabilities/storage.ts';
import { asSltvError, coreErrors } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Node } from '../node.ts';
import { type Entry, nameOf, readEntry } from './entry.ts';
import { giveHeadroom, lacksHeadroom } from './headroom.ts';
import { freshEntry, mustBeHere } from './world.ts';

export interface HookWorld {
  readonly storages: readonly Storage[];
  readonly node: Node;
  readonly log: Log;
  readonly signal: AbortSignal;
}

interface Held {
  readonly pool: Pool;
  readonly volume: Volume;
  readonly entry: Entry;
}

/**
 * Before a VM starts: gives its disks room, and activates them on this node, or refuses, with a sentence, a start that would be a
 * second one.
 * After it has stopped: deactivates them. Errors: `core/disk-elsewhere`, `core/disk-attached`, `core/disk-busy`, the pool's.
 */
export async function runHook(world: HookWorld, transition: VmTransition): Promise<void> {
  if (transition.step === 'starting') await beforeStart(world, transition);
  else await afterStop(world, transition);
}

async function beforeStart(world: HookWorld, { vm, paths }: VmTransition): Promise<void> {
  if (paths.length === 0) return;
  const disks = (await ourDisks(world)).filter(({ volume }) => paths.includes(volume.path));
  for (const { entry } of disks) mayStart(world.node, entry, vm);
  for (const disk of disks) {
    // Before it is active: that takes half the time.
    if (lacksHeadroom(disk.pool, disk.entry)) await makeRoom(world, disk);
    await disk.pool.activate(disk.volume.name, world.signal);
  }
}

/** A start is neither refused nor held up for long because there is no room, or somebody else keeps the pool. */
async function makeRoom(world: HookWorld, { pool, volume, entry }: Held): Promise<void> {
  const signal = AbortSignal.any([world.signal, AbortSignal.timeout(PATIENCE)]);
  try {
    await pool.change({ signal, urgency: { secondsToFull: 0 } }, async (writer) => {
      const fresh = freshEntry(await writer.find(volume.name), nameOf(entry));
      mustBeHere(world, fresh);
      await giveHeadroom(pool, writer, fresh, world);
    });
  } catch (error) {
    world.log.warn('a disk was given no room for the start of its VM', {
      disk: nameOf(entry),
      error: asSltvError(error),
    });
  }
}

/** Milliseconds to wait for the pool. */
const PATIENCE = 10_000;

function mayStart(node: Node, entry: Entry, vm: VmTransition['vm']): void {
  const disk = nameOf(entry);
  const { owner, intent } = entry;
  if (!owner) {
    throw coreErrors('attachment-missing', `disk ${disk} is not attached to ${vm.name}`, {
      hint: `sltv disk attach ${disk} ${vm.name}`,
    });
  }
  if (owner.vm !== vm.uuid) {
    throw coreErrors('disk-attached', `disk ${disk} belongs to ${owner.vmName}, not to ${vm.name}`, {
      hint: `sltv disk detach ${disk} ${owner.vmName}`,
    });
  }
  const elsewhere = entry.on.find((place) => place.node !== node.id);
  if (elsewhere && !entry.on.some((place) => place.node === node.id)) {
    throw coreErrors(
      'disk-elsewhere',
      `disk ${disk} is held by node ${elsewhere.node}, where ${vm.name} may be running`,
      {
        hint: `start ${vm.name} on ${elsewhere.node}`,
      },
    );
  }
  if (intent && intent.operation !== 'attach' && intent.operation !== 'detach' && intent.operation !== 'move') {
    throw coreErrors('disk-busy', `disk ${disk} has an unfinished ${intent.operation}`, {
      hint: `sltv disk show ${disk}`,
    });
  }
}

async function afterStop(world: HookWorld, { vm }: VmTransition): Promise<void> {
  for (const { pool, volume, entry } of await ourDisks(world)) {
    const isItsHere = entry.owner?.vm === vm.uuid && entry.on.some((place) => place.node === world.node.id);
    if (!isItsHere || !(await pool.isActive(volume))) continue;
    // Whoever still has it open keeps it; the daemon's reconciler looks again.
    await pool.deactivate(volume.name, world.signal).catch((error) => {
      world.log.warn('a volume stays active', { disk: nameOf(entry), error: asSltvError(error) });
    });
  }
}

async function ourDisks(world: HookWorld): Promise<readonly Held[]> {
  const pools = (await Promise.all(world.storages.map((storage) => storage.pools(world.signal)))).flat();
  const held = await Promise.all(
    pools.map(async (pool) =>
      (await pool.volumes(world.signal)).flatMap((volume) => {
        const entry = readEntry(volume);
        return entry ? [{ pool, volume, entry }] : [];
      }),
    ),
  );
  return held.flat();
}
