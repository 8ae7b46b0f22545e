// Facts that no decision rests on: they ride on the volume's next commit, or on one of their own within a minute.
import type { Notes, Volume, Writer } from '../capabilities/storage.ts';
import { asSltvError } from '../errors.ts';
import { replaceNotes, withLater } from './entry.ts';
import { allPools, type World } from './world.ts';

export interface LateNotes {
  /** Remembers what these notes shall be. */
  set(pool: string, name: string, notes: Notes): void;
  /** What is remembered and not yet with the volume. */
  pending(pool: string, name: string): Notes;
  /** Forgets what a commit has just written, unless it changed since. */
  written(pool: string, name: string, notes: Notes): void;
  /** Forgets a volume that is no more: another may get its name. */
  forget(pool: string, name: string): void;
  /** Volumes with something remembered. */
  waiting(): readonly { readonly pool: string; readonly name: string }[];
}

export function createLateNotes(): LateNotes {
  const notes = new Map<string, { pool: string; name: string; notes: Notes }>();
  const keyOf = (pool: string, name: string) => `${pool}/${name}`;
  return {
    set(pool, name, more) {
      const key = keyOf(pool, name);
      notes.set(key, { pool, name, notes: withLater(notes.get(key)?.notes ?? {}, more) });
    },
    pending: (pool, name) => notes.get(keyOf(pool, name))?.notes ?? {},
    written(pool, name, done) {
      const key = keyOf(pool, name);
      if (notes.get(key)?.notes === done) notes.delete(key);
    },
    forget: (pool, name) => void notes.delete(keyOf(pool, name)),
    waiting: () => [...notes.values()],
  };
}

/** Commits all that is remembered, a volume at a time. Never throws. */
export async function flushLateNotes(world: Flushing): Promise<void> {
  for (const volume of world.lateNotes.waiting()) await flushLateNotesOf(world, volume);
}

type Flushing = Pick<World, 'storages' | 'lateNotes' | 'log' | 'life'>;

/** Commits what is remembered of one volume; what can't be written now is told, and kept for the next time. Never throws. */
export async function flushLateNotesOf(
  world: Flushing,
  { pool: poolName, name }: { readonly pool: string; readonly name: string },
): Promise<void> {
  const { lateNotes, log, life } = world;
  try {
    const pool = (await allPools(world, life)).find((candidate) => candidate.name === poolName);
    await pool?.change({ signal: life }, (writer) => writeLateNotes(lateNotes, writer, poolName, name));
  } catch (error) {
    if (life.aborted) return;
    log.warn('facts could not be written', { disk: `${poolName}/${name}`, error: asSltvError(error) });
  }
}

async function writeLateNotes(late: LateNotes, writer: Writer, pool: string, name: string): Promise<void> {
  const volume = await writer.find(name);
  if (volume) await annotateLate(late, writer, volume, {});
  else late.forget(pool, name);
}

/** Commits a change of one volume's notes, and with it what is remembered of the volume. */
export async function annotateLate(
  late: LateNotes,
  writer: Writer,
  { pool, name }: Volume,
  change: { readonly add?: Notes; readonly drop?: Notes },
): Promise<Volume> {
  const pending = late.pending(pool, name);
  const fresh = await writer.find(name);
  const ours = fresh && replaceNotes(fresh, withLater(fresh.notes, pending));
  const done = await writer.annotate(name, {
    add: { ...ours?.add, ...change.add },
    drop: { ...ours?.drop, ...change.drop },
  });
  late.written(pool, name, pending);
  return done;
}
