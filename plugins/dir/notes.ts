// Changing notes.
import type { Notes } from 'sltv';

export interface NotesChange {
  readonly add?: Notes;
  readonly drop?: Notes;
}

/** The notes after the change: keys without values are gone, values stand once. */
export function changeNotes(notes: Notes, { add = {}, drop = {} }: NotesChange): Notes {
  const sets = new Map(Object.entries(notes).map(([key, values]) => [key, new Set(values)]));
  for (const [key, value] of pairs(drop)) sets.get(key)?.delete(value);
  for (const [key, value] of pairs(add)) sets.set(key, new Set(sets.get(key)).add(value));
  const kept = [...sets].filter(([, values]) => values.size > 0);
  return Object.fromEntries(kept.map(([key, values]) => [key, [...values]]));
}

/** Whether the notes are already as the change would leave them. */
export function isDone(notes: Notes, { add = {}, drop = {} }: NotesChange): boolean {
  const has = ([key, value]: readonly [string, string]) => notes[key]?.includes(value) ?? false;
  return pairs(add).every(has) && !pairs(drop).some(has);
}

const pairs = (notes: Notes): readonly (readonly [string, string])[] =>
  Object.entries(notes).flatMap(([key, values]) => values.map((value) => [key, value] as const));
