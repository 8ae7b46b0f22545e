// What shared pools say of lives that were fenced: `fenced=<node>/<boot>`. Hooks read it without a cluster, and a node that was
// fenced and lives knows itself by it.
import { NodeFenced, type Place } from '../capabilities/cluster.ts';
import { type Entry, placeNote, readEntry, readPlace } from '../disks/entry.ts';
import { asSltvError } from '../errors.ts';
import { fencedLives, isSame, livesNamed, type NodesWorld, type SharedPool, sharedPools } from './world.ts';

/** Ends what any daemon has begun: every pool says which members' present lives are over, and no more than is needed. */
export async function tendFences(world: NodesWorld): Promise<void> {
  const { cluster, life } = world;
  if (!cluster) return;
  const members = await cluster.members(life);
  const over = members.filter(({ isOver, node }) => isOver && node !== world.node.id);
  for (const { node, boot } of over) {
    if (world.told.has(node)) continue;
    world.told.add(node);
    world.emit(NodeFenced, { place: { node, boot }, proof: 'another node has it' });
  }
  await writeFences(world, over);
  const pools = await sharedPools(world, life);
  for (const { node, boot } of members.filter(({ isOver }) => !isOver)) {
    world.told.delete(node);
    for (const shared of pools) await dropFences(world, shared, { node, boot });
  }
}

/** Notes these lives in every shared pool that does not have them. The pools that can't be written now, by name. */
export async function writeFences(world: NodesWorld, lives: readonly Place[]): Promise<readonly string[]> {
  const untold: string[] = [];
  for (const shared of await sharedPools(world, world.life)) {
    const known = fencedLives(shared);
    const missing = lives.filter((place) => !known.some((each) => isSame(place, each)));
    if (missing.length === 0) continue;
    const isTold = await attempt(world, shared, (signal) =>
      shared.pool.change({ signal }, async (writer) => {
        await writer.annotatePool?.({ add: { fenced: missing.map(placeNote) } });
      }),
    );
    if (!isTold) untold.push(shared.pool.name);
  }
  return untold;
}

/** A node is back in another life: what was said of the old ones goes, once no disk names them any more. */
async function dropFences(world: NodesWorld, shared: SharedPool, present: Place): Promise<void> {
  const isOld = (place: Place) => place.node === present.node && place.boot !== present.boot;
  const isNamed = (entries: readonly Entry[]) => entries.some((entry) => livesNamed(entry, present.node).some(isOld));
  if (!fencedLives(shared).some(isOld) || isNamed(shared.entries)) return;
  await attempt(world, shared, (signal) =>
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
  work: (signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  try {
    await work(AbortSignal.any([world.life, AbortSignal.timeout(PATIENCE)]));
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

/** Milliseconds to wait for a pool: who has its lock may be the one that was fenced. */
const PATIENCE = 20_000;
