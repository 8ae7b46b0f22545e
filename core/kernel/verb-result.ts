// What a plugin's verb answers, held to the verb's declaration: types hold no plain JavaScript, and a cast holds nobody.
import { isRecord } from './definition.ts';
import type { Field, FieldType, Verb } from './verb.ts';

/** What is wrong with one result of this verb, in a few words; undefined when it is as declared. */
export function flawOfResult({ result }: Verb, value: unknown): string | undefined {
  if (!isRecord(value) || Array.isArray(value)) {
    return `expected an object of ${Object.keys(result).join(', ') || 'no fields'}, got ${shown(value)}`;
  }
  const unknown = Object.keys(value).find((name) => value[name] !== undefined && !Object.hasOwn(result, name));
  if (unknown !== undefined) return `${unknown} is no field of its result`;
  for (const [name, field] of Object.entries(result)) {
    const flaw = flawOfField(field, value[name]);
    if (flaw !== undefined) return `${name} ${flaw}`;
  }
  return undefined;
}

/** The same of all that a verb answers that gives no stream. */
export function flawOfAnswer(verb: Verb, answer: unknown): string | undefined {
  // Whatever comes beside it, nothing was promised.
  if (verb.gives === 'nothing') return undefined;
  if (verb.gives === 'item') return flawOfResult(verb, answer);
  if (!Array.isArray(answer)) return `expected a list, got ${shown(answer)}`;
  const flaws = answer.map((each) => flawOfResult(verb, each));
  const first = flaws.findIndex((flaw) => flaw !== undefined);
  return first < 0 ? undefined : `[${first}]: ${flaws[first]}`;
}

/** Whether a value can be asked for one result after another. */
export const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  isRecord(value) && typeof Reflect.get(value, Symbol.asyncIterator) === 'function';

function flawOfField(field: Field, value: unknown): string | undefined {
  if (value === undefined) return field.optional || field.type === 'flag' ? undefined : 'is missing';
  if (!field.list) return flawOfValue(field, value);
  if (!Array.isArray(value)) return `should be a list, not ${shown(value)}`;
  return value.map((each) => flawOfValue(field, each)).find((flaw) => flaw !== undefined);
}

function flawOfValue({ type, choices }: Field, value: unknown): string | undefined {
  const [is, expected] = TYPES[type];
  if (!is(value)) return `should be ${expected}, not ${shown(value)}`;
  if (choices === undefined || choices.includes(String(value))) return undefined;
  return `should be one of ${choices.join(', ')}, not ${shown(value)}`;
}

const TYPES: Readonly<Record<FieldType, readonly [is: (value: unknown) => boolean, expected: string]>> = {
  text: [(value) => typeof value === 'string', 'text'],
  size: [(value) => typeof value === 'bigint', 'a size (a bigint of bytes)'],
  count: [(value) => Number.isSafeInteger(value), 'a whole number'],
  duration: [(value) => Number.isFinite(value), 'a duration (a number of milliseconds)'],
  flag: [(value) => typeof value === 'boolean', 'true or false'],
  time: [(value) => value instanceof Date && !Number.isNaN(value.getTime()), 'a time (a Date)'],
};

const LONGEST = 60;

/** A value in a sentence, whatever it is. */
export function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}n` : typeof value === 'function' ? 'a function' : asJson(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? typeof value;
  } catch {
    return 'what JSON has no word for';
  }
}
