// What a word that is being typed can become: nouns, verbs, options, their choices, and the names that the daemon knows.
import type { Client } from '../client/index.ts';
import type { Field, Fields } from '../kernel/verb.ts';
import type { At, Command, Commands } from './command.ts';
import { foreignCommands } from './foreign.ts';
import { globalOptions, globalSpellings, splitGlobals } from './globals.ts';
import { aliases, allCommands, nouns } from './nouns.ts';
import { isOption, spelledOptions } from './parse.ts';

/**
 * All that the last of these words, which may be empty, can become; the words before it are whole. What the daemon would have to
 * be asked for is left out when it does not answer at once. Never throws.
 */
export async function complete(
  words: readonly string[],
  at: Pick<At, 'client' | 'signal'>,
): Promise<readonly string[]> {
  const { before, head, typed } = split(words);
  try {
    const all = (await candidates(before, typed, at)).map((each) => head + each);
    return [...new Set(all)].filter((each) => each.startsWith(head + typed)).sort();
  } catch {
    return [];
  }
}

/** `--pool=im` awaits a pool as `--pool im` does, with `head` before its name; bash makes three words of it, and wants the name alone. */
function split(words: readonly string[]): { before: readonly string[]; head: string; typed: string } {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const [, option, value = ''] = /^(--[^=]+)=(.*)$/s.exec(typed) ?? [];
  if (option !== undefined) return { before: [...before, option], head: `${option}=`, typed: value };
  if (before.at(-1) === '=') return { before: before.slice(0, -1), head: '', typed };
  return { before, head: '', typed: typed === '=' ? '' : typed };
}

async function candidates(
  before: readonly string[],
  typed: string,
  at: Pick<At, 'client' | 'signal'>,
): Promise<readonly string[]> {
  // A global option's value is a file, an address, a duration: nothing that we know.
  if (valueAwaitedBy(before.at(-1), globalOptions, spelledOptions(globalOptions, {}))) return [];
  const { rest } = splitGlobals(before);
  const noun = rest.find((word) => !isOption(word));
  if (noun === undefined) {
    if (isOption(typed)) return globalSpellings;
    const theirs = await foreign(at);
    return [...Object.keys(nouns), ...Object.keys(theirs).map(nounOf)];
  }
  const commands = Object.hasOwn(nouns, noun) || Object.hasOwn(aliases, noun) ? await allCommands() : await foreign(at);
  const bare = rest.filter((word) => !isOption(word));
  const found = commandAt(commands, bare);
  return found === undefined
    ? nextWords(commands, bare)
    : await partsOf(found.command, found.depth, { noun: nounOf(aliases[noun] ?? noun), rest, typed, at });
}

const nounOf = (words: string): string => words.split(' ')[0] ?? '';

/** The verb that the first of these words name, and how many they are. */
function commandAt(commands: Commands, bare: readonly string[]): { command: Command; depth: number } | undefined {
  for (let depth = bare.length; depth > 0; depth--) {
    const words = bare.slice(0, depth).join(' ');
    const command = commands[aliases[words] ?? words];
    if (command) return { command, depth };
  }
  return undefined;
}

const nextWords = (commands: Commands, bare: readonly string[]): readonly string[] =>
  Object.keys(commands)
    .map((words) => words.split(' '))
    .filter((words) => bare.every((word, i) => words[i] === word))
    .flatMap((words) => words[bare.length] ?? []);

interface Typing {
  readonly noun: string;
  /** The words before, without global options. */
  readonly rest: readonly string[];
  readonly typed: string;
  readonly at: Pick<At, 'client' | 'signal'>;
}

/** Options, their values, and arguments of a verb. */
async function partsOf({ verb, spellings }: Command, depth: number, typing: Typing): Promise<readonly string[]> {
  const { rest, typed, noun, at } = typing;
  const spelled = spelledOptions(verb.options, spellings);
  const end = rest.includes('--') ? rest.indexOf('--') : rest.length;
  const before = rest.slice(0, end);
  const isLiteral = end < rest.length;
  const awaits = isLiteral ? undefined : valueAwaitedBy(before.at(-1), verb.options, spelled);
  if (awaits) return await valuesOf(...awaits, noun, at);
  if (!isLiteral && typed.startsWith('-')) {
    const given = new Set(before.map((word) => spelled.get(word.split('=')[0] ?? '')));
    const left = [...spelled].filter(([, name]) => verb.options[name]?.list || !given.has(name));
    return [...left.map(([spelling]) => spelling), ...globalSpellings];
  }
  const words = before.filter((word, i) => !isOption(word) && !valueAwaitedBy(before[i - 1], verb.options, spelled));
  const place = words.length + rest.slice(end + 1).length - depth;
  const args = Object.entries(verb.args);
  const last = args.at(-1);
  const [name, field] = args[place] ?? (last?.[1].list ? last : []);
  return name === undefined || field === undefined ? [] : await valuesOf(name, field, noun, at);
}

/** The option that the word before names, when a value has to follow it. */
function valueAwaitedBy(
  word: string | undefined,
  options: Fields,
  spelled: ReadonlyMap<string, string>,
): readonly [name: string, field: Field] | undefined {
  const name = spelled.get(word ?? '');
  const field = name === undefined ? undefined : options[name];
  return name === undefined || field === undefined || field.type === 'flag' ? undefined : [name, field];
}

/** By what a field is called, `name` being the noun's own; plugins' verbs call theirs alike. */
async function valuesOf(
  name: string,
  field: Field,
  noun: string,
  at: Pick<At, 'client' | 'signal'>,
): Promise<readonly string[]> {
  if (field.choices) return field.choices;
  const what = name === 'name' ? noun : name;
  const ask = Object.hasOwn(NAMES, what) ? NAMES[what] : undefined;
  return ask === undefined ? [] : await ask(await at.client(), { signal: at.signal, timeout: PATIENCE });
}

type Ask = (client: Client, options: { signal: AbortSignal; timeout: number }) => Promise<readonly string[]>;

const NAMES: Readonly<Record<string, Ask>> = {
  disk: async ({ sltv }, options) => {
    const { disks } = await sltv.listDisks({}, options);
    const count = Map.groupBy(disks, ({ name }) => name);
    return disks.flatMap(({ name, vg }) => (count.get(name)?.length === 1 ? [name, `${vg}/${name}`] : `${vg}/${name}`));
  },
  vm: async ({ vms }, options) => (await vms.list(options)).map(({ name }) => name),
  pool: async ({ pools }, options) => (await pools.list(options)).map(({ name }) => name),
  node: async ({ nodes }, options) => (await nodes.list(options)).map(({ name }) => name),
  id: async ({ operations }, options) => (await operations.list(options)).map(({ requestId }) => requestId),
};

/** None, where no daemon answers. */
const foreign = async (at: Pick<At, 'client' | 'signal'>): Promise<Commands> =>
  await foreignCommands(await at.client(), { signal: at.signal, timeout: PATIENCE }).catch(() => ({}));

/** Milliseconds. Nobody waits longer for a Tab. */
const PATIENCE = 1_000;
