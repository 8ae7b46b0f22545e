// What values of core's options are made of.
import * as v from 'valibot';
import { parseSize } from '../units.ts';
import { ROLES } from './verb.ts';

/** A size word (`'10G'`) or bytes; 0 and less is no size. */
export const Size = v.pipe(
  v.union([v.string(), v.bigint(), v.pipe(v.number(), v.safeInteger())]),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      const bytes = typeof dataset.value === 'string' ? parseSize(dataset.value) : BigInt(dataset.value);
      if (bytes > 0n) return bytes;
      addIssue({ message: `expected a size above 0, got ${dataset.value}` });
      return NEVER;
    } catch (error) {
      addIssue({ message: error instanceof Error ? error.message : String(error) });
      return NEVER;
    }
  }),
  v.title('a size'),
);

/** A size, of which 0 is none, or a part of the whole: `'5%'`. */
export const Part = v.pipe(
  v.union([v.string(), v.bigint(), v.pipe(v.number(), v.safeInteger())]),
  v.rawTransform(({ dataset, addIssue, NEVER }): bigint | `${number}%` => {
    const { value } = dataset;
    const [, percent] = /^(\d+(?:\.\d+)?)\s*%$/.exec(String(value).trim()) ?? [];
    try {
      if (percent !== undefined && Number(percent) <= 100) return `${Number(percent)}%`;
      const bytes = typeof value === 'string' && percent === undefined ? parseSize(value) : BigInt(value);
      if (bytes >= 0n) return bytes;
    } catch {
      // Said below, with the other words that are neither.
    }
    addIssue({ message: `'${value}' is neither a size such as 20G nor a part of the pool such as 5%` });
    return NEVER;
  }),
  v.title('a size, or a part: `20G`, `5%`'),
);

export const RoleName = v.picklist(ROLES);
/** Of the file system, from its root. */
export const Path = v.pipe(
  v.string(),
  v.startsWith('/', 'a path that begins with / is expected'),
  v.title('an absolute path'),
);

export const Count = v.pipe(v.number(), v.integer(), v.minValue(1, 'at least 1'));
/** Timers wait no longer than three weeks. */
export const Milliseconds = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1, 'at least 1'),
  v.maxValue(1_814_400_000, 'at most three weeks'),
);
export const Bytes = (least: bigint, most: bigint) =>
  v.pipe(
    Size,
    v.minValue(least, `at least ${least} bytes`),
    v.maxValue(most, `at most ${most} bytes`),
    v.transform(Number),
  );
