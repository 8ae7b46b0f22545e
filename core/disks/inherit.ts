// What lives of other nodes that are over left half-done, ended by whoever comes first; and permissions that they left.
//
// Creations and deletions need only that the life is over. All else touches what another life of that node may rest on, so it
// waits until the pool says that one was fenced, and leaves alone a node that is back: it sees to its own.
import type { Cluster, Member, Place } from '../capabilities/cluster.ts';
import type { Notes, Pool } from '../capabilities/storage.ts';
import { asSltvError } from '../errors.ts';
import { type Entry, here, intentNote, nameOf, placeNote, replaceNotes } from './entry.ts';
import { honour } from './permission.ts';
import { freshEntry, type World } from './world.ts';

/** Ends what can be ended. What can't, because a proof is out of reach, is tried again. */
export async function inherit(
  world: World,
  pool: Pool,
  entries: readonly Entry[],
  fenced: readonly Place[],
): Promise<void> {
  const { cluster } = world;
  if (!cluster) return;
  const known = createProofs(cluster, world.life);
  for (const entry of entries) {
    if (world.turns.isTaken(nameOf(entry))) continue;
    try {
      const will = await willOf(world, entry, fenced, known);
      if (will) await carryOut(world, pool, entry, will);
    } catch (error) {
      if (world.life.aborted) return;
      const kind = asSltvError(error).kind;
      world.log[kind === 'unavailable' ? 'debug' : 'warn']('what a node left could not be ended yet', {
        disk: nameOf(entry),
        error,
      });
    }
  }
}

/**
 * `remove`: it never became a disk, or is none any more. `take`: this node goes on with it. `free`: nobody has it any more.
 * `stamp`: this node's own, from an earlier life.
 */
type Will = 'remove' | 'take' | 'free' | 'stamp';

interface Proofs {
  isOver(place: Place): Promise<boolean>;
  /** A newer life of that node is a member. */
  isBack(node: string): Promise<boolean>;
}

async function willOf(
  { node: { id: self }, hypervisor }: World,
  entry: Entry,
  fenced: readonly Place[],
  { isOver, isBack }: Proofs,
): Promise<Will | undefined> {
  const { intent, on } = entry;
  const wasFenced = (place: Place) => fenced.some(({ node }) => node === place.node);
  const elsewhere = on.filter((place) => place.node !== self);
  if (intent) {
    if (intent.node === self || !(await isOver(intent))) return undefined;
    for (const place of elsewhere) if (!(await isOver(place))) return undefined;
    if (intent.operation === 'create') return 'remove';
    if ((intent.operation === 'delete' || intent.operation === 'wipe') && !entry.owner) return 'remove';
    const canGoOn = hypervisor !== undefined || !entry.owner;
    const mayTake = canGoOn && (intent.operation === 'resize' || intent.operation === 'detach');
    return mayTake && wasFenced(intent) && !(await isBack(intent.node)) ? 'take' : undefined;
  }
  if (elsewhere.length === 0) {
    const [mine] = on;
    // This node's own, from before it was fenced: by a note of this life it may start without asking again.
    return mine && wasFenced(mine) && (await isOver(mine)) ? 'stamp' : undefined;
  }
  for (const place of elsewhere) {
    if (!wasFenced(place) || !(await isOver(place)) || (await isBack(place.node))) return undefined;
  }
  return 'free';
}

/** One commit, if the disk is still as it was when that was decided. */
async function carryOut(world: World, pool: Pool, seen: Entry, will: Will): Promise<void> {
  const { name } = seen.volume;
  const place = here(world.node);
  await world.turns.take(nameOf(seen), { signal: world.life }, () =>
    pool.change({ signal: world.life }, async (writer) => {
      const volume = await writer.find(name);
      if (!volume || !isSame(volume.notes, seen.volume.notes)) return;
      const entry = freshEntry(volume, nameOf(seen));
      world.log.info('ending what a node left', { disk: nameOf(entry), how: will, operation: entry.intent?.operation });
      if (will === 'remove') return await writer.remove(name);
      await honour(world.promises, entry);
      const mine = entry.on.filter(({ node }) => node === world.node.id).map(placeNote);
      const op = entry.intent ? [intentNote({ ...entry.intent, ...place })] : [];
      const notes: Record<Exclude<Will, 'remove'>, Notes> = {
        take: { on: [placeNote(place)], op },
        free: { on: mine },
        stamp: { on: entry.owner ? [placeNote(place)] : [] },
      };
      await writer.annotate(name, replaceNotes(volume, notes[will]));
    }),
  );
}

const isSame = (a: Notes, b: Notes): boolean =>
  ['disk', 'own', 'on', 'op'].every((key) => String(a[key]) === String(b[key]));

/** Each life is asked after once; a round of a thousand disks asks no more than there are lives. */
function createProofs(cluster: Cluster, life: AbortSignal): Proofs {
  const over = new Map<string, Promise<boolean>>();
  let members: Promise<readonly Member[]> | undefined;
  const signal = AbortSignal.any([life, AbortSignal.timeout(PATIENCE)]);
  return {
    isOver(place) {
      const key = placeNote(place);
      const known = over.get(key) ?? cluster.isOver(place, signal);
      over.set(key, known);
      return known;
    },
    async isBack(node) {
      members ??= cluster.members(signal);
      return (await members).some((member) => member.node === node && !member.isOver);
    },
  };
}

/** Milliseconds for all of a round's questions. */
const PATIENCE = 10_000;
