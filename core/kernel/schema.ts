// What a valibot schema knows: which keys it has at a path, and what was wrong with a value, in our words.
import { type BaseIssue, type GenericSchema, getDescription } from 'valibot';
import { nearest } from '../nearest.ts';
import { isRecord } from './definition.ts';

export type Path = readonly (string | number)[];

/** One thing that is wrong with options: where, and a sentence. */
export interface Flaw {
  readonly path: Path;
  readonly message: string;
}

/** Writes a path as code would: `vgs[0]`, `listen[0].unix`. */
export function pathText(path: Path): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${key}`)).join('');
}

/** Puts a valibot issue into words; a misspelt key gets the one that was most likely meant. */
export function flawsOf(
  issue: BaseIssue<unknown>,
  schema: GenericSchema,
  extraKeys: readonly string[] = [],
): readonly Flaw[] {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  if (issue.expected !== 'never' || path.length === 0) return [{ path, message: messageOf(issue) }];
  const above = path.slice(0, -1);
  const known = [...keysAt(schema, above, issue.path?.[0]?.input), ...(above.length === 0 ? extraKeys : [])];
  // valibot stops at the first key of an object that it doesn't know.
  const given = issue.path?.at(-1)?.input;
  const unknown = isRecord(given) ? Object.keys(given).filter((key) => !known.includes(key)) : path.slice(-1);
  return unknown.map((key) => {
    const meant = nearest(String(key), known);
    const remedy = meant === undefined ? `there is ${known.join(', ') || 'nothing to set'}` : `did you mean ${meant}?`;
    return { path: [...above, key], message: `is not an option: ${remedy}` };
  });
}

function messageOf(issue: BaseIssue<unknown>): string {
  // A key that isn't there is an issue of the object; its own type stands in the object's entries.
  if (issue.kind === 'schema' && issue.received === 'undefined') return 'is missing';
  if (issue.message.startsWith('Invalid ')) return `expected ${expectedBy(issue)}, got ${issue.received}`;
  return issue.message;
}

/** The option keys of the object at a path, whatever wraps it. Where several kinds may stand, those of the one in `value`, or of all. */
export function keysAt(schema: GenericSchema, path: Path, value?: unknown): readonly string[] {
  return [...new Set(schemasAt(schema, path, value).flatMap((found) => Object.keys(entriesOf(found))))];
}

/** What is said of the option at a path, or of the one around it: an item of a list is of the list's kind. */
export function aboutAt(schema: GenericSchema, path: Path, value?: unknown): string | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const found = schemasAt(schema, path.slice(0, length), value).filter(isSchema).map(getDescription);
    const about = found.find((words) => words !== undefined);
    if (about !== undefined) return about;
  }
  return undefined;
}

export const isSchema = (value: unknown): value is GenericSchema => isRecord(value) && value.kind === 'schema';

function expectedBy(issue: BaseIssue<unknown>): string {
  if (issue.expected === null) return 'something else';
  const words: Readonly<Record<string, string>> = { Array: 'a list', Object: 'an object', Function: 'a function' };
  return words[issue.expected] ?? issue.expected;
}

/** Every schema that may stand at a path: a union has several. */
function schemasAt(schema: unknown, path: Path, value: unknown): readonly unknown[] {
  if (!isRecord(schema)) return [];
  const through = [schema.wrapped, ...choicesOf(schema, value)].flatMap((inner) => schemasAt(inner, path, value));
  const [key, ...rest] = path;
  if (key === undefined) return [schema, ...through];
  const next = typeof key === 'number' ? schema.item : (entriesOf(schema)[key] ?? schema.value);
  return [...schemasAt(next, rest, isRecord(value) ? Reflect.get(value, key) : undefined), ...through];
}

/** A lazy schema knows by the value which it is. */
function choicesOf({ getter, options }: Readonly<Record<string, unknown>>, value: unknown): readonly unknown[] {
  if (typeof getter === 'function' && value !== undefined) return [getter(value)];
  return Array.isArray(options) ? options : [];
}

/** What an object's schema has by its keys; nothing where it is no object's. */
export function entriesOf(schema: unknown): Readonly<Record<string, unknown>> {
  const entries = isRecord(schema) ? schema.entries : undefined;
  return isRecord(entries) ? entries : {};
}
