// Did you mean …?
import { nearest } from '../nearest.ts';

/** The word that a typist meant: the only one that begins or ends so, or the nearest. Undefined when none is near. */
export function meant(word: string, known: Iterable<string>): string | undefined {
  const all = [...known];
  return (
    only(all, (each) => word.length >= SHORTEST_BEGINNING && each.startsWith(word)) ??
    nearest(word, all) ??
    // `--size` where there is only `--virtual-size`.
    only(all, (each) => word.startsWith('--') && each.endsWith(word.slice(1)))
  );
}

function only(words: readonly string[], fits: (word: string) => boolean): string | undefined {
  const [first, ...others] = words.filter(fits);
  return others.length === 0 ? first : undefined;
}

/** Less than this begins too much. */
const SHORTEST_BEGINNING = 3;
