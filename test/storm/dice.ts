// The dice of a storm: one seed, the same throws.

export interface Dice {
  /** A whole number from 0 up to and without `end`. */
  below(end: number): number;
  chance(probability: number): boolean;
  pick<T>(things: readonly [T, ...T[]]): T;
  pick<T>(things: readonly T[]): T | undefined;
  shuffled<T>(things: readonly T[]): T[];
  /** Looks like a uuid. */
  uuid(): string;
}

/** Other words give other throws. */
export function createDice(...words: readonly (string | number)[]): Dice {
  let state = hashOf(words.join('/'));
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (end: number): number => Math.floor((next() / 2 ** 32) * end);
  const hex = () => next().toString(16).padStart(8, '0');
  return {
    below,
    chance: (probability) => next() / 2 ** 32 < probability,
    // The first overload promises what holds of every list that is not empty.
    pick: <T>(things: readonly T[]) => things[below(things.length)] as T,
    shuffled(things) {
      const left = [...things];
      return things.flatMap(() => left.splice(below(left.length), 1));
    },
    uuid: () => `${hex()}-${hex().slice(4)}-${hex().slice(4)}-${hex().slice(4)}-${hex()}${hex().slice(4)}`,
  };
}

/** FNV-1a */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
