// Words into values, by what a verb declares of them.
import { coreErrors } from '../errors.ts';
import type { Field } from '../kernel/verb.ts';
import { parseDuration, parseSize } from '../units.ts';

/** What a field's word can stand for. */
export type Value = string | bigint | number | boolean | Date;

/** How a field is typed as an option: `virtualSize` is `--virtual-size`. */
export const optionOf = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Reads a word; `name` is the field's own. Errors: `core/bad-size`, `core/input`. */
export function readWord(field: Field, name: string, word: string): Value {
  if (field.choices && !field.choices.includes(word)) {
    throw coreErrors('input', `'${word}' is not one of ${field.choices.join(', ')}`, { hint: field.about });
  }
  return READERS[field.type](word, name);
}

const READERS: Readonly<Record<Field['type'], (word: string, name: string) => Value>> = {
  text: (word) => word,
  size: readSize,
  count: readCount,
  duration: (word) => parseDuration(word),
  flag: () => true,
  time: readTime,
};

const LARGER_UNITS = /^[\d.]+\s*[EPZY]i?B?$/i;

/** Bytes. A delta may have a plus; elsewhere `+5G` is LVM's way to say a delta, so it must not pass for a size. */
function readSize(word: string, name: string): bigint {
  if (/^-\s*[\d.]/.test(word)) {
    throw coreErrors(
      'bad-size',
      `'${word}' is negative, and ${name === 'delta' ? 'nothing ever shrinks' : 'no size is'}`,
      {
        hint: 'write a size such as 512M, 10G or 1.5T',
      },
    );
  }
  if (LARGER_UNITS.test(word)) {
    throw coreErrors('bad-size', `'${word}' is more than any volume can have`, {
      hint: 'the largest unit is T: write a size such as 512M, 10G or 1.5T',
    });
  }
  if (!word.startsWith('+')) return parseSize(word);
  if (name === 'delta') return parseSize(word.slice(1));
  throw coreErrors('bad-size', `'${word}' has a plus, and ${optionOf(name)} is the size to reach`, {
    hint: 'without the plus, or --delta where a verb has it',
  });
}

function readCount(word: string, name: string): number {
  const count = Number(word);
  if (/^\d+$/.test(word) && Number.isSafeInteger(count)) return count;
  throw coreErrors('input', `'${word}' is not a number for ${optionOf(name)}`, { hint: 'write a whole number' });
}

function readTime(word: string): Date {
  const time = new Date(word);
  if (!Number.isNaN(time.getTime())) return time;
  throw coreErrors('input', `'${word}' is not a time`, { hint: 'write it as 2026-01-31T18:30:00Z' });
}

/** A time as proto3 JSON writes it; undefined when it has not been. */
export const timeFrom = (word: string | undefined) => (word ? new Date(word) : undefined);
