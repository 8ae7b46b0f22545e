// What a valibot schema knows: which keys it has at a path, and what was wrong with a value, in our words.
import type { BaseIssue, GenericSchema } from 'valibot';
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
  const known = [...keysAt(schema, above), ...(above.length === 0 ? extraKeys : [])];
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

/** The option keys of the object at a path, whatever wraps it. */
export function keysAt(schema: GenericSchema, path: Path): readonly string[] {
  return [...new Set(schemasAt(schema, path).flatMap((found) => Object.keys(entriesOf(found))))];
}

function expectedBy(issue: BaseIssue<unknown>): string {
  if (issue.expected === null) return 'something else';
  const words: Readonly<Record<string, string>> = { Array: 'a list', Object: 'an object', Function: 'a function' };
  return words[issue.expected] ?? issue.expected;
}

/** Every schema that may stand at a path: a union has several. */
function schemasAt(schema: unknown, path: Path): readonly unknown[] {
  if (!isRecord(schema)) return [];
  const inside = [schema.wrapped, ...(Array.isArray(schema.options) ? schema.options : [])];
  const through = inside.flatMap((inner) => schemasAt(inner, path));
  const [key, ...rest] = path;
  if (key === undefined) return [schema, ...through];
  const next = typeof key === 'number' ? schema.item : (entriesOf(schema)[key] ?? schema.value);
  return [...schemasAt(next, rest), ...through];
}

function entriesOf(schema: unknown): Readonly<Record<string, unknown>> {
  const entries = isRecord(schema) ? schema.entries : undefined;
  return isRecord(entries) ? entries : {};
}
