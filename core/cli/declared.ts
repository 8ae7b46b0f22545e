// Fields and their values as a daemon tells of them: all that is known of what plugins add.
import type { JsonValue, PluginField } from '../client/index.ts';
import { FIELD_TYPES, type Field } from '../kernel/verb.ts';

/** A word of a daemon that may be newer than this client. */
export const known = <T extends string>(words: readonly T[], word: string, otherwise: T): T =>
  words.find((each) => each === word) ?? otherwise;

/** A field as it was declared. */
export const fieldFrom = ({
  type,
  about,
  optional,
  list,
  choices,
}: Omit<PluginField, 'name' | 'optional' | 'choices'> & Partial<PluginField>): Field => ({
  type: known(FIELD_TYPES, type, 'text'),
  about,
  ...(optional ? { optional } : {}),
  ...(list ? { list } : {}),
  ...(choices && choices.length > 0 ? { choices } : {}),
});

/** A value as it was written: sizes and times are text, numbers and flags may be. */
export function valueFrom({ type }: Field, value: JsonValue): unknown {
  const text = String(value);
  if (type === 'size' && /^\d+$/.test(text)) return BigInt(text);
  if ((type === 'count' || type === 'duration') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (type === 'flag') return text === 'true';
  if (type === 'time' && !Number.isNaN(Date.parse(text))) return new Date(text);
  return typeof value === 'object' ? JSON.stringify(value) : value;
}
