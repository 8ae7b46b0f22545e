// Facts that no decision rests on: they ride on the volume's next commit, or on one of their own once a minute.
import type { Notes, Writer } from '../capabilities/storage.ts';
import { replaceNotes } from './entry.ts';

export interface LateNotes {
  /** Remembers what these notes shall be. */
  set(pool: string, name: string, notes: Notes): void;
  /** What is remembered and not yet with the volume. */
  pending(pool: string, name: string): Notes;
  /** Forgets what a commit has just written, unless it changed since. */
  written(pool: string, name: string, notes: Notes): void;
  /** Volumes with something remembered. */
  waiting(): readonly { readonly pool: string; readonly name: string }[];
}

export function createLateNotes(): LateNotes {
  const notes = new Map<string, { pool: string; name: string; notes: Notes }>();
  const keyOf = (pool: string, name: string) => `${pool}/${name}`;
  return {
    set(pool, name, more) {
      const key = keyOf(pool, name);
      notes.set(key, { pool, name, notes: { ...notes.get(key)?.notes, ...more } });
    },
    pending: (pool, name) => notes.get(keyOf(pool, name))?.notes ?? {},
    written(pool, name, done) {
      const key = keyOf(pool, name);
      if (notes.get(key)?.notes === done) notes.delete(key);
    },
    waiting: () => [...notes.values()],
  };
}

/** Commits what is remembered of one volume. */
export async function writeLateNotes(late: LateNotes, writer: Writer, pool: string, name: string): Promise<void> {
  const notes = late.pending(pool, name);
  const volume = await writer.find(name);
  if (volume) await writer.annotate(name, replaceNotes(volume, notes));
  late.written(pool, name, notes);
}
