// Did you mean …?
import { nearest } from '../nearest.ts';

/** The word that a typist meant: the only one that begins so, or the nearest. Undefined when none is near. */
export function meant(word: string, known: Iterable<string>): string | undefined {
  const all = [...known];
  const [longer, ...others] = word.length < SHORTEST_BEGINNING ? [] : all.filter((each) => each.startsWith(word));
  return longer !== undefined && others.length === 0 ? longer : nearest(word, all);
}

/** Less than this begins too much. */
const SHORTEST_BEGINNING = 3;
