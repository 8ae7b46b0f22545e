// Verbs of plugins, as commands: all that is known of them is what the daemon tells.
import type { CallOptions, Client, JsonObject, JsonValue, PluginField, PluginVerb } from '../client/index.ts';
import type { Field, Fields, FieldType, Gives, Role, Verb } from '../kernel/verb.ts';
import type { At, Command, Commands, Reply } from './command.ts';

/** The verbs of all plugins of a daemon. Errors: the client's. */
export async function foreignCommands(client: Client, options: CallOptions): Promise<Commands> {
  const plugins = await client.plugins.list(options);
  return Object.fromEntries(plugins.flatMap(({ verbs }) => verbs.map((each) => [each.words, commandOf(each)])));
}

function commandOf(declared: PluginVerb): Command {
  const verb: Verb = {
    about: declared.about,
    example: declared.example,
    role: known(ROLES, declared.role, 'operator'),
    args: fieldsOf(declared.args),
    options: fieldsOf(declared.options),
    gives: known(GIVES, declared.gives, 'item'),
    result: fieldsOf(declared.result),
  };
  const run = (input: Readonly<Record<string, unknown>>, at: At) =>
    verb.gives === 'stream' ? watch(declared.words, verb, input, at) : call(declared.words, verb, input, at);
  return { verb, spellings: {}, run };
}

async function call(words: string, verb: Verb, input: Readonly<Record<string, unknown>>, at: At): Promise<Reply> {
  const results = await (await at.client()).plugins.call(words, toWire(input), at);
  return { message: { results }, rows: results.map((result) => fromWire(verb.result, result)) };
}

async function* watch(
  words: string,
  verb: Verb,
  input: Readonly<Record<string, unknown>>,
  at: At,
): AsyncIterable<Reply> {
  for await (const result of (await at.client()).plugins.watch(words, toWire(input), at)) {
    yield { message: { result }, rows: [fromWire(verb.result, result)] };
  }
}

const FIELD_TYPES: readonly FieldType[] = ['text', 'size', 'count', 'duration', 'flag', 'time'];
const GIVES: readonly Gives[] = ['item', 'list', 'stream', 'nothing'];
const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];

/** A word of a daemon that may be newer than this client. */
const known = <T extends string>(words: readonly T[], word: string, otherwise: T): T =>
  words.find((each) => each === word) ?? otherwise;

const fieldsOf = (declared: readonly PluginField[]): Fields =>
  Object.fromEntries(declared.map((field) => [field.name, fieldOf(field)]));

const fieldOf = ({ type, about, optional, list, choices }: PluginField): Field => ({
  type: known(FIELD_TYPES, type, 'text'),
  about,
  ...(optional ? { optional } : {}),
  ...(list ? { list } : {}),
  ...(choices.length > 0 ? { choices } : {}),
});

/** Sizes as decimal strings of bytes, times in RFC 3339. */
function toWire(input: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(wireValue) : wireValue(value),
    ]),
  );
}

function wireValue(value: unknown): JsonValue {
  if (value instanceof Date) return value.toISOString();
  // What `parse` reads is a Value: what is no bigint here is JSON.
  return typeof value === 'bigint' ? value.toString() : (value as JsonValue);
}

const fromWire = (fields: Fields, result: JsonObject): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      const value = result[name];
      if (value === undefined || value === null) return [];
      return [[name, Array.isArray(value) ? value.map((each) => readValue(field, each)) : readValue(field, value)]];
    }),
  );

function readValue({ type }: Field, value: JsonValue): unknown {
  if (type === 'size' && /^\d+$/.test(String(value))) return BigInt(String(value));
  if (type === 'time' && typeof value === 'string' && !Number.isNaN(Date.parse(value))) return new Date(value);
  return typeof value === 'object' ? JSON.stringify(value) : value;
}
