// A verb's input as it comes over the wire, decoded against the verb's declaration.
import { coreErrors, SltvError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { parseDuration, parseSize } from '../units.ts';
import { isRecord } from './definition.ts';
import type { Field, FieldType, Verb } from './verb.ts';

/**
 * Decodes an input by name: sizes as decimal strings of bytes or size words, counts and durations (milliseconds, or
 * words such as `30s`) as numbers or strings, times in RFC 3339. Errors: `core/input`, each with the field's name.
 */
export function decodeInput(words: string, verb: Verb, input: unknown): Readonly<Record<string, unknown>> {
  const fail = (message: string, hint = verb.example) => coreErrors('input', `${words}: ${message}`, { hint });
  if (input !== undefined && !isPlain(input)) throw fail('the input is an object of fields by name');
  const given = input ?? {};
  const fields = { ...verb.args, ...verb.options };
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(fields, name)) continue;
    const meant = nearest(name, Object.keys(fields));
    throw fail(`there is no field ${name}`, meant === undefined ? verb.example : `did you mean ${meant}?`);
  }
  const decoded = Object.entries(fields).flatMap(([name, field]) => {
    const value = given[name];
    if (value === undefined || value === null) {
      if (field.optional || field.type === 'flag') return [];
      throw fail(`${name} is missing: ${field.about}`);
    }
    try {
      return [[name, decodeField(field, value)]];
    } catch (error) {
      throw error instanceof SltvError ? fail(`${name}: ${error.message}`, error.hint) : error;
    }
  });
  return Object.fromEntries(decoded);
}

function isPlain(input: unknown): input is Readonly<Record<string, unknown>> {
  return isRecord(input) && !Array.isArray(input);
}

function decodeField(field: Field, value: unknown): unknown {
  if (!field.list) return decodeValue(field, value);
  if (!Array.isArray(value)) throw unexpected('a list', value);
  if (value.length === 0 && !field.optional) throw coreErrors('input', 'the list is empty');
  return value.map((item) => decodeValue(field, item));
}

function decodeValue(field: Field, value: unknown): unknown {
  const decoded = DECODERS[field.type](value);
  if (field.choices === undefined || field.choices.includes(String(decoded))) return decoded;
  const meant = nearest(String(decoded), field.choices);
  const hint = meant === undefined ? undefined : `did you mean ${meant}?`;
  throw coreErrors('input', `'${String(value)}' is none of ${field.choices.join(', ')}`, { hint });
}

const DECODERS: Readonly<Record<FieldType, (value: unknown) => unknown>> = {
  text: (value) => {
    if (typeof value !== 'string') throw unexpected('text', value);
    return value;
  },
  size: (value) => {
    const word = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
    if (typeof word !== 'string') throw unexpected('a size such as 10G, or bytes as a decimal string', value);
    return parseSize(word);
  },
  count: (value) => {
    const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0)
      throw unexpected('a whole number', value);
    return count;
  },
  duration: (value) => {
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    if (typeof value !== 'string') throw unexpected('a duration such as 30s, or milliseconds', value);
    return /^\d+$/.test(value) ? Number(value) : parseDuration(value);
  },
  flag: (value) => {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw unexpected('true or false', value);
  },
  time: (value) => {
    const time = typeof value === 'string' && RFC_3339.test(value) ? new Date(value) : undefined;
    if (time === undefined || Number.isNaN(time.getTime()))
      throw unexpected('a time such as 2026-01-31T12:00:00Z', value);
    return time;
  },
};

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function unexpected(expected: string, value: unknown): SltvError {
  return coreErrors('input', `expected ${expected}, got ${JSON.stringify(value)}`);
}
