// A policy for autoextend: a disk doubles while it is small, and grows by a fixed step from there on.
import { larger, parseSize, smaller } from 'sltv';
import type { Policy } from 'sltv/autoextend';

export interface DoublingOptions {
  /** What a disk grows by once it has as much: `'64G'`. */
  readonly until: string;
}

/** A disk grows as soon as all but half of its next growth is written. Errors: `core/bad-size`. */
export function doubling({ until }: DoublingOptions): Policy {
  const most = parseSize(until);
  return ({ physical, fill, step, extent }) => {
    // `step`: what `sltv autoextend set` says for this disk, which goes before any policy.
    const growth = (size: bigint) => larger(step ?? smaller(size, most), extent);
    const armAt = (size: bigint) => size - larger(smaller(growth(size), size) / 2n, 1n);
    let size = physical;
    // More than once for a guest that ran ahead.
    while (fill >= armAt(size)) size += growth(size);
    return size > physical ? { extendTo: size, armAt: armAt(size) } : { armAt: armAt(size) };
  };
}
