// Facts that no decision rests on: they ride on the volume's next commit, or on one of their own within a minute. Such a commit
// has the pool for as long as any, so a guest that fills its disk just then would wait for it: it is best made right behind an
// extension, when the guest has most room.
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
  /** Volumes of which something has been remembered for at least so long; milliseconds. */
  waiting(age?: number): readonly VolumeName[];
}

interface VolumeName {
  readonly pool: string;
  readonly name: string;
}

/** Milliseconds after which a good moment is taken to write what is remembered. */
export const DUE = 30_000;

/** Milliseconds after which it is not waited for any more. */
export const OVERDUE = 45_000;

/** `now`: milliseconds, of a clock that only goes forward. */
export function createLateNotes(now = () => performance.now()): LateNotes {
  const notes = new Map<string, VolumeName & { readonly notes: Notes; readonly since: number }>();
  const keyOf = (pool: string, name: string) => `${pool}/${name}`;
  return {
    set(pool, name, more) {
      const key = keyOf(pool, name);
      const before = notes.get(key);
      notes.set(key, { pool, name, notes: withLater(before?.notes ?? {}, more), since: before?.since ?? now() });
    },
    pending: (pool, name) => notes.get(keyOf(pool, name))?.notes ?? {},
    written(pool, name, done) {
      const key = keyOf(pool, name);
      if (notes.get(key)?.notes === done) notes.delete(key);
    },
    forget: (pool, name) => void notes.delete(keyOf(pool, name)),
    waiting: (age = 0) => [...notes.values()].filter(({ since }) => now() - since >= age),
  };
}

/** Commits what has been remembered for so long, milliseconds, a volume at a time. Never throws. */
export async function flushLateNotes(world: Flushing, age: number): Promise<void> {
  for (const volume of world.lateNotes.waiting(age)) await flushLateNotesOf(world, volume);
}

/** For a moment in which a guest has room enough to wait for it. Never throws. */
export async function flushDueNotesOf(world: Flushing, { pool, name }: VolumeName): Promise<void> {
  const isDue = world.lateNotes.waiting(DUE).some((each) => each.pool === pool && each.name === name);
  if (isDue) await flushLateNotesOf(world, { pool, name });
}

type Flushing = Pick<World, 'storages' | 'lateNotes' | 'log' | 'life'>;

/** Commits what is remembered of one volume; what can't be written now is told, and kept for the next time. Never throws. */
export async function flushLateNotesOf(world: Flushing, { pool: poolName, name }: VolumeName): Promise<void> {
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
