// Verbs of plugins, as commands: all that is known of them is what the daemon tells.
import type { CallOptions, Client, JsonObject, JsonValue, PluginField, PluginVerb } from '../client/index.ts';
import { type Fields, GIVES, ROLES, type Verb } from '../kernel/verb.ts';
import type { At, Command, Commands, Reply } from './command.ts';
import { fieldFrom, known, valueFrom } from './declared.ts';
import { watchable } from './watch.ts';

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
  return watchable({ verb, spellings: {}, run });
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

const fieldsOf = (declared: readonly PluginField[]): Fields =>
  Object.fromEntries(declared.map((field) => [field.name, fieldFrom(field)]));

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
      return [[name, Array.isArray(value) ? value.map((each) => valueFrom(field, each)) : valueFrom(field, value)]];
    }),
  );
