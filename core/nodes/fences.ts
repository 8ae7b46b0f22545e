// What shared pools say of lives that were fenced: `fenced=<node>/<boot>`. Hooks read it without a cluster, and a node that was
// fenced and lives knows itself by it.
import { NodeFenced, type Place } from '../capabilities/cluster.ts';
import { type Entry, placeNote, readEntry, readPlace } from '../disks/entry.ts';
import { fencedLives } from '../disks/permission.ts';
import { asSltvError } from '../errors.ts';
import { isSame, livesNamed, type NodesWorld, type SharedPool, sharedPools } from './world.ts';

/**
 * Ends what a daemon has begun: a life that one pool says was fenced is over for the cluster, and for every pool; and forgets it
 * once its node is back and nothing names its old lives.
 */
export async function tendFences(world: NodesWorld): Promise<void> {
  const { cluster, life } = world;
  if (!cluster) return;
  const members = await cluster.members(life);
  const pools = await sharedPools(world, life);
  const fenced = pools.flatMap(fencedLives).filter((place) => place.node !== world.node.id);
  // A node that is back in another life may be using what it finds: nothing more is said of its old ones.
  const isBack = (place: Place) => members.some((each) => each.node === place.node && each.boot !== place.boot);
  const open = fenced.filter((place) => !isBack(place));
  for (const place of open) {
    const proof = 'a pool says that it was fenced';
    if (!(await cluster.isOver(place, life))) await cluster.declareOver(place, proof, life);
    announce(world, place, proof);
  }
  await writeFences(world, open);
  for (const { node, boot } of members.filter(({ isOver }) => !isOver)) {
    for (const shared of pools) await dropFences(world, shared, { node, boot });
  }
}

/** Tells this daemon's plugins, once. */
export function announce(world: NodesWorld, place: Place, proof: string): void {
  const key = placeNote(place);
  if (world.told.has(key)) return;
  world.told.add(key);
  world.emit(NodeFenced, { place, proof });
}

/**
 * Notes these lives in every shared pool that does not have them. The pools that can't be written now, by name. `patience`:
 * milliseconds to wait for a pool; who has its lock may be the one that was fenced.
 */
export async function writeFences(
  world: NodesWorld,
  lives: readonly Place[],
  patience = PATIENCE,
): Promise<readonly string[]> {
  const pools = await sharedPools(world, world.life);
  const untold = pools.map(async (shared) => {
    const known = fencedLives(shared);
    const missing = lives.filter((place) => !known.some((each) => isSame(place, each)));
    if (missing.length === 0) return [];
    const isTold = await attempt(world, shared, patience, (signal) =>
      shared.pool.change({ signal }, async (writer) => {
        await writer.annotatePool?.({ add: { fenced: missing.map(placeNote) } });
      }),
    );
    return isTold ? [] : [shared.pool.name];
  });
  return (await Promise.all(untold)).flat();
}

/** A node is back in another life: what was said of the old ones goes, once no disk names them any more. */
async function dropFences(world: NodesWorld, shared: SharedPool, present: Place): Promise<void> {
  const isOld = (place: Place) => place.node === present.node && place.boot !== present.boot;
  const isNamed = (entries: readonly Entry[]) => entries.some((entry) => livesNamed(entry, present.node).some(isOld));
  if (!fencedLives(shared).some(isOld) || isNamed(shared.entries)) return;
  await attempt(world, shared, PATIENCE, (signal) =>
    shared.pool.change({ signal }, async (writer) => {
      if (isNamed((await writer.volumes()).flatMap((volume) => readEntry(volume) ?? []))) return;
      const notes = (await shared.pool.facts(signal)).notes?.fenced ?? [];
      await writer.annotatePool?.({ drop: { fenced: notes.filter((note) => isOld(readPlace(note))) } });
    }),
  );
}

async function attempt(
  world: NodesWorld,
  { pool }: SharedPool,
  patience: number,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  try {
    await work(AbortSignal.any([world.life, AbortSignal.timeout(patience)]));
    return true;
  } catch (error) {
    if (world.life.aborted) return false;
    world.log.warn('a pool could not be told of a fence; it is tried again', {
      pool: pool.name,
      error: asSltvError(error),
    });
    return false;
  }
}

/** Milliseconds to wait for a pool. */
const PATIENCE = 20_000;
