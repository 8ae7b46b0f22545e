// The policy of settings: so much is free, and a disk grows by so much.
import { larger, v } from 'sltv';
import type { Policy } from './policy.ts';
import { bytesOf, type SizeWord } from './sizes.ts';

export interface KeepFreeOptions {
  /** A disk grows when less than this part of its volume is free, percent. */
  readonly percent: number;
  /** By how much: a size, or a part of what it has, as `'10%'`. */
  readonly step: SizeWord;
}

/** Errors: `core/bad-size` for a step that is none; what valibot says of a percentage that is none. */
export function keepFree({ percent, step }: KeepFreeOptions): Policy {
  const kept = BigInt(v.parse(Percent, percent));
  const share = typeof step === 'string' ? /^([1-9]\d*)%$/.exec(step.trim())?.[1] : undefined;
  const fixed = share === undefined ? bytesOf(step) : undefined;
  const armedIn = (size: bigint) => size - larger((size * kept) / 100n, 1n);
  return ({ physical, fill, step: own }) => {
    if (fill < armedIn(physical)) return { armAt: armedIn(physical) };
    // One step for a guest that is watched; more for one that ran ahead.
    const enough = (fill * 100n) / (100n - kept) + 2n;
    const by = own ?? fixed;
    const extendTo = by === undefined ? byShares(physical, BigInt(share ?? 0), enough) : bySteps(physical, by, enough);
    return { extendTo, armAt: armedIn(extendTo) };
  };
}

const Percent = v.pipe(
  v.number(),
  v.integer('a whole number of percent is expected'),
  v.minValue(1, 'a percentage from 1 to 99 is expected'),
  v.maxValue(99, 'a percentage from 1 to 99 is expected'),
);

function bySteps(from: bigint, step: bigint, enough: bigint): bigint {
  const by = larger(step, 1n);
  const missing = larger(enough - from, 1n);
  return from + ((missing + by - 1n) / by) * by;
}

function byShares(from: bigint, percent: bigint, enough: bigint): bigint {
  let size = from;
  do size += larger((size * percent) / 100n, 1n);
  while (size < enough);
  return size;
}
