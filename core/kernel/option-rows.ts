// What people read of options: a row for each, from what its schema says of itself.
import { type GenericSchema, getDefault, getDescription, getMetadata, getTitle } from 'valibot';
import { entriesOf, isSchema } from './schema.ts';

/** One option, in words of Markdown. */
export interface OptionRow {
  /** `listen[].unix`. */
  readonly option: string;
  /** What may stand there: `a size`, `` `json` or `text` ``. */
  readonly takes: string;
  /** What holds where nothing is said: `–` where that is nothing, `required` where something has to be. */
  readonly default: string;
  /** The schema's description; undefined where it has none. */
  readonly about: string | undefined;
  /** A page of docs/ that has more, or a heading of the options' own. */
  readonly see: string | undefined;
}

/**
 * Every option of a schema of options, those with parts before their parts. `v.description` says what one means, `v.title` what it
 * takes where its type says too little, `v.metadata({ default })` what holds where the default's value says too little, `v.metadata({ see })` where more stands.
 */
export function optionRows(schema: GenericSchema): readonly OptionRow[] {
  const rows = partsOf(schema).flatMap(([key, part]) => rowsAt(key, part));
  // Kinds of listeners share options: the first says it for all.
  return rows.filter(({ option }, index) => rows.findIndex((row) => row.option === option) === index);
}

function rowsAt(option: string, schema: GenericSchema): readonly OptionRow[] {
  const list = itemOf(schema);
  const kinds = list === undefined ? [schema] : choicesOf(list);
  const inside = list === undefined ? option : `${option}[]`;
  const parts = kinds.flatMap((kind) => partsOf(kind).flatMap(([key, part]) => rowsAt(`${inside}.${key}`, part)));
  const own = {
    option,
    takes: takenBy(schema),
    default: defaultOf(schema),
    about: aboutOf(schema),
    see: wordOf(schema, 'see'),
  };
  return parts.length > 0 && own.about === undefined ? parts : [own, ...parts];
}

/** What the description of a schema, or of what it wraps, says. */
export function aboutOf(schema: GenericSchema): string | undefined {
  const inner = wrappedBy(schema);
  return getDescription(schema) ?? (inner === undefined ? undefined : aboutOf(inner));
}

function takenBy(schema: GenericSchema): string {
  const title = getTitle(schema);
  const inner = wrappedBy(schema);
  const item = itemOf(schema);
  if (title !== undefined) return title;
  if (inner !== undefined) return takenBy(inner);
  if (item !== undefined) return 'a list';
  if ('options' in schema && Array.isArray(schema.options) && schema.type === 'picklist')
    return alternatives(schema.options.map((word) => `\`${word}\``));
  return TAKES[schema.type] ?? schema.type;
}

const TAKES: Readonly<Record<string, string>> = {
  boolean: '`true` or `false`',
  number: 'a number',
  record: 'names with values',
  string: 'text',
};

const alternatives = (words: readonly string[]) => [words.slice(0, -1).join(', '), words.at(-1)].join(' or ');

function defaultOf(schema: GenericSchema): string {
  const said = wordOf(schema, 'default');
  if (said !== undefined) return said;
  if (wrappedBy(schema) === undefined) return 'required';
  const value: unknown = getDefault(schema);
  if (value === undefined) return '–';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', "'")}\``;
}

function wordOf(schema: GenericSchema, name: 'default' | 'see'): string | undefined {
  const word: unknown = getMetadata(schema)[name];
  return typeof word === 'string' ? word : undefined;
}

/** The options of an object, whatever wraps it. */
const partsOf = (schema: GenericSchema): readonly (readonly [key: string, part: GenericSchema])[] =>
  Object.entries(entriesOf(unwrapped(schema))).flatMap(([key, part]) => (isSchema(part) ? [[key, part] as const] : []));

function itemOf(schema: GenericSchema): GenericSchema | undefined {
  const inner = unwrapped(schema);
  return 'item' in inner && isSchema(inner.item) ? inner.item : undefined;
}

/** The kinds of what may stand there: one, but for a lazy schema that lists several. */
const choicesOf = (schema: GenericSchema): readonly GenericSchema[] =>
  'options' in schema && Array.isArray(schema.options) ? schema.options.filter(isSchema) : [schema];

const wrappedBy = (schema: GenericSchema): GenericSchema | undefined =>
  'wrapped' in schema && isSchema(schema.wrapped) ? schema.wrapped : undefined;

function unwrapped(schema: GenericSchema): GenericSchema {
  const inner = wrappedBy(schema);
  return inner === undefined ? schema : unwrapped(inner);
}
