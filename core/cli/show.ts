// Values for people.
import type { Field } from '../kernel/verb.ts';
import { formatSize, parseSize } from '../units.ts';
import { isPlain } from './table.ts';

/** One value in a table's cell. What isn't there is a dash. */
export function shownIn(field: Field, value: unknown): string {
  if (Array.isArray(value)) return value.map((each) => shown(field, each)).join(', ') || NOTHING;
  return shown(field, value);
}

/** One value on lines of its own; a size with its bytes, where the short word isn't exact. */
export function shownInFull(field: Field, value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [shown(field, value) + exactly(field, value)];
  return value.length === 0 ? [NOTHING] : value.map((each) => shown(field, each) + exactly(field, each));
}

/** `virtualSize` is read as "virtual size". */
export const labelOf = (name: string) =>
  name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll('-', ' ');

const NOTHING = '-';

function shown(field: Field, value: unknown): string {
  if (field.type === 'flag') return value === true ? 'yes' : 'no';
  if (value === undefined || value === null || value === '') return NOTHING;
  if (typeof value === 'bigint' && field.type === 'size') return formatSize(value);
  if (typeof value === 'number' && field.type === 'duration') return value < 1000 ? `${value} ms` : `${value / 1000} s`;
  // In UTC, as the daemon's log is, and to the second.
  if (value instanceof Date)
    return value
      .toISOString()
      .replace('T', ' ')
      .replace(/\.\d+Z$/, 'Z');
  return printable(String(value));
}

function exactly(field: Field, value: unknown): string {
  if (field.type !== 'size' || typeof value !== 'bigint' || value < 1024n) return '';
  return parseSize(formatSize(value)) === value ? '' : ` (${value} bytes)`;
}

/** A name that someone else chose must not move the terminal's cursor. */
const printable = (text: string) => (isPlain(text) ? text : text.replace(/\p{Cc}/gu, '\u{FFFD}'));
