// Sizes and durations: bytes and milliseconds inside, words only at the edge.
import { coreErrors } from './errors.ts';

export const KiB = 1024n;
export const MiB = 1024n * KiB;
export const GiB = 1024n * MiB;
export const TiB = 1024n * GiB;

const UNITS: Readonly<Record<string, bigint>> = { K: KiB, M: MiB, G: GiB, T: TiB };
const EXPECTED = 'write a size such as 512M, 10G or 1.5T (B, K, M, G, T in powers of 1024; no unit means bytes)';

/** Reads a size word (`10G`, `1.5GiB`, `4096`) into bytes; fractions are rounded down. Errors: `core/bad-size`. */
export function parseSize(word: string): bigint {
  const match = /^(\d+)(?:\.(\d+))?\s*(?:([KMGT])(?:i?B)?|B)?$/i.exec(word.trim());
  if (!match) throw coreErrors('bad-size', `'${word}' is not a size`, { hint: EXPECTED });
  const unit = UNITS[(match[3] ?? '').toUpperCase()] ?? 1n;
  const fraction = match[2] ?? '';
  const bytes = (BigInt((match[1] ?? '') + fraction) * unit) / 10n ** BigInt(fraction.length);
  if (bytes > MAX_SIZE) throw coreErrors('bad-size', `'${word}' is more than any volume can have`, { hint: EXPECTED });
  return bytes;
}

/** LVM's and qcow2's signed 64-bit limit, bytes. */
const MAX_SIZE = 2n ** 63n - 1n;

/** Writes bytes for people: `10 GiB`, `1.5 GiB`, `512 B`; at most two decimals. */
export function formatSize(bytes: bigint): string {
  for (const [unit, name] of [
    [TiB, 'TiB'],
    [GiB, 'GiB'],
    [MiB, 'MiB'],
    [KiB, 'KiB'],
  ] as const) {
    if (bytes >= unit) return `${Number(((bytes * 100n) / unit).toString()) / 100} ${name}`;
  }
  return `${bytes} B`;
}

/** The least multiple of `unit` that is not below `bytes`. */
export function roundUp(bytes: bigint, unit: bigint): bigint {
  return ((bytes + unit - 1n) / unit) * unit;
}

export const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
export const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The greatest multiple of `unit` that is not above `bytes`. */
export function roundDown(bytes: bigint, unit: bigint): bigint {
  return (bytes / unit) * unit;
}

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Reads a duration word (`500ms`, `30s`, `1.5h`) into milliseconds. The unit has to be there. Errors: `core/input`. */
export function parseDuration(word: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/.exec(word.trim());
  const milliseconds = Math.round(Number(match?.[1]) * (MILLISECONDS[match?.[2] ?? ''] ?? Number.NaN));
  if (Number.isSafeInteger(milliseconds)) return milliseconds;
  throw coreErrors('input', `'${word}' is not a duration`, { hint: 'write 500ms, 30s, 2m or 1h' });
}
