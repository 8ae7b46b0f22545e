// What the hypervisor's hook does about a VM's disks, from the notes alone: it calls neither the hypervisor nor the daemon,
// since both may be waiting for it.
import type { Cluster } from '../capabilities/cluster.ts';
import type { VmTransition } from '../capabilities/hypervisor.ts';
import { isAt, type Pool, type Storage, type Volume } from '../capabilities/storage.ts';
import { asSltvError, coreErrors } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Node } from '../node.ts';
import { claiming, isElsewhere, isOfLifeThatIsOver, mustBeOursToTake, placesElsewhere } from './claim.ts';
import { type Entry, here, nameOf, placeNote, readEntry, replaceNotes } from './entry.ts';
import { giveHeadroom, lacksHeadroom } from './headroom.ts';
import { fencedIn, honour, isPermitted, mustNotBeFenced, mustNotBePromised } from './permission.ts';
import type { Promises } from './promises.ts';
import { whileClaimed } from './while-claimed.ts';
import { entryIn, freshEntry, isHere, mustBeAtRest, mustBeHere } from './world.ts';

export interface HookWorld {
  readonly storages: readonly Storage[];
  /** Asked only for a disk that was on another node. */
  readonly cluster: Cluster | undefined;
  readonly promises: Promises;
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
 * second one. What was on another node is claimed first, which needs the cluster; all else needs only the storage.
 * After it has stopped: deactivates them. Errors: `core/disk-elsewhere`, `core/disk-attached`, `core/disk-busy`,
 * `core/disk-claimed`, `core/node-fenced`, the pool's.
 */
export async function runHook(world: HookWorld, transition: VmTransition): Promise<void> {
  if (transition.step === 'starting') await beforeStart(world, transition);
  else await afterStop(world, transition);
}

async function beforeStart(world: HookWorld, { vm, paths }: VmTransition): Promise<void> {
  if (paths.length === 0) return;
  const disks = (await ourDisks(world)).filter(({ volume }) => paths.some((path) => isAt(volume, path)));
  for (const { entry } of disks) mayStart(entry, vm);
  const signal = AbortSignal.any([world.signal, AbortSignal.timeout(CLAIM_PATIENCE)]);
  const starts = await Promise.all(disks.map((disk) => lookInto(world, disk, vm)));
  const begun: Held[] = [];
  try {
    // Those that may be refused first: then nothing has been done.
    for (const { disk, isPermitted } of starts.toSorted((a, b) => Number(a.isPermitted) - Number(b.isPermitted))) {
      begun.push(disk);
      if (isPermitted) await activate(world, disk, vm);
      else await claim({ ...world, signal }, disk, vm);
    }
  } catch (error) {
    await asleep(world, begun);
    if (!signal.aborted || world.signal.aborted) throw error;
    throw coreErrors('timeout', `the disks of ${vm.name} could not be taken over from another node in time`, {
      hint: 'sltv status --cluster shows who does not answer',
      cause: error,
    });
  }
}

/** Milliseconds that claims may take, all together. */
const CLAIM_PATIENCE = 30_000;

/** Whether the notes let this node begin at once. Errors: `core/node-fenced`, `core/disk-elsewhere` where nobody can be asked. */
async function lookInto(
  world: HookWorld,
  disk: Held,
  vm: VmTransition['vm'],
): Promise<{ disk: Held; isPermitted: boolean }> {
  const fenced = await fencedIn(disk.pool, world.signal);
  mustNotBeFenced(world.node, fenced);
  const permitted = isPermitted(world.node, disk.entry, fenced);
  const [elsewhere] = placesElsewhere(world.node, disk.entry);
  if (!permitted && !world.cluster && elsewhere) {
    const message = `disk ${nameOf(disk.entry)} is held by node ${elsewhere.node}, where ${vm.name} may be running`;
    throw coreErrors('disk-elsewhere', message, { hint: `start ${vm.name} on ${elsewhere.node}` });
  }
  // Where nobody else can be, an attached disk without a place is this host's.
  return { disk, isPermitted: permitted || !world.cluster };
}

/**
 * The disk is this node's, and another one may just now be asking for it. A claim that began before this looks is found by its
 * promise or by what it has committed; one that begins later finds the volume active.
 */
async function activate(world: HookWorld, disk: Held, vm: VmTransition['vm']): Promise<void> {
  const { pool, volume } = disk;
  const mustBeOurs = async () => {
    if (!world.cluster) return disk.entry;
    await mustNotBePromised(world.promises, pool, disk.entry, world.signal);
    const entry = await entryIn(pool, volume.name, world.signal);
    mayStart(entry, vm);
    if (isPermitted(world.node, entry, await fencedIn(pool, world.signal))) return entry;
    throw isElsewhere(entry, entry.on[0]?.node ?? 'nobody');
  };
  await whileClaimed(world.signal, async () => {
    const entry = await mustBeOurs();
    // Before it is active: that takes half the time.
    if (lacksHeadroom(pool, entry)) await makeRoom(world, { pool, volume, entry });
    await pool.activate(volume.name, world.signal);
    // What was active already may be smaller than what another node has made of it.
    if (pool.isCurrent && !(await pool.isCurrent(entry.volume))) await pool.refresh?.(volume.name, world.signal);
    await mustBeOurs().catch(async (error) => {
      await asleep(world, [disk]);
      throw error;
    });
  });
}

/** The disk was on another node: its permission becomes this one's, and the VM's room is made in the same turn. */
async function claim(world: HookWorld, disk: Held, vm: VmTransition['vm']): Promise<void> {
  const { pool } = disk;
  const { name } = disk.volume;
  const { signal } = world;
  const wanted = { pool, name, signal, mayHave: (entry: Entry) => mayStart(entry, vm) };
  await claiming(world, wanted, (proof) =>
    pool.change({ signal, urgency: { secondsToFull: 0 } }, async (writer) => {
      const fresh = freshEntry(await writer.find(name), name);
      mayStart(fresh, vm);
      await mustBeOursToTake(world, pool, fresh, proof);
      // A VM that starts with the disk has it, whatever became of the attach.
      const isHalfAttached = fresh.intent?.operation === 'attach' && isOfLifeThatIsOver(fresh, proof);
      if (!isHalfAttached) mustBeAtRest(fresh);
      await giveHeadroom(pool, writer, fresh, world);
      const notes = { on: [placeNote(here(world.node))], op: [] };
      await writer.annotate(name, { ...replaceNotes(fresh.volume, notes), activate: true });
      // Another may have read what was just written, and asked this node's daemon before the volume was active.
      await honour(world.promises, fresh).catch(async (error) => {
        await asleep(world, [disk]);
        throw error;
      });
    }),
  );
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

function mayStart(entry: Entry, vm: VmTransition['vm']): void {
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
  if (intent && intent.operation !== 'attach' && intent.operation !== 'detach' && intent.operation !== 'move') {
    throw coreErrors('disk-busy', `disk ${disk} has an unfinished ${intent.operation}`, {
      hint: `sltv disk show ${disk}`,
    });
  }
}

/** A start that is refused leaves nothing active. */
async function asleep(world: HookWorld, disks: readonly Held[]): Promise<void> {
  for (const { pool, volume, entry } of disks) {
    await pool.deactivate(volume.name, world.signal).catch((error) => {
      world.log.warn('a volume stays active', { disk: nameOf(entry), error: asSltvError(error) });
    });
  }
}

async function afterStop(world: HookWorld, { vm }: VmTransition): Promise<void> {
  for (const { pool, volume, entry } of await ourDisks(world)) {
    const isItsHere = entry.owner?.vm === vm.uuid && isHere(world, entry);
    if (!isItsHere || !(await pool.isActive(volume))) continue;
    // Whoever still has it open keeps it; the daemon's reconciler looks again.
    await asleep(world, [{ pool, volume, entry }]);
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
