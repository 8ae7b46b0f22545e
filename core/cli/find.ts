// From the words of a command line to the verb that they name.
import { asSltvError, coreErrors } from '../errors.ts';
import type { Command, Commands } from './command.ts';
import { aliased, aliases, allCommands, nouns } from './nouns.ts';
import { isOption, spelledOptions } from './parse.ts';
import { meant } from './suggest.ts';

export interface Found {
  /** The words that name it, as typed: `disk create`, `create-disk`. */
  readonly words: string;
  readonly command: Command;
  /** What is left for the verb to read. */
  readonly rest: readonly string[];
}

/** A noun alone. */
export interface FoundNoun {
  readonly words: string;
  readonly commands: Commands;
}

/** Verbs of plugins: only the daemon knows them. */
export type Elsewhere = () => Promise<Commands>;

/** Finds what a command line is about; undefined when it names nothing. Errors: `core/unknown-verb`. */
export async function find(words: readonly string[], elsewhere: Elsewhere): Promise<Found | FoundNoun | undefined> {
  const [noun, next] = bareWords(words, new Set()).map(({ word }) => word);
  if (noun === undefined) return undefined;
  const commands = await commandsOf(noun, next, elsewhere);
  const bare = bareWords(words, valueOptions(commands));
  for (let depth = bare.length; depth > 0; depth--) {
    const used = bare.slice(0, depth);
    const name = used.map(({ word }) => word).join(' ');
    const command = commands[name];
    if (command === undefined) continue;
    return { words: name, command, rest: words.filter((_, i) => !used.some(({ at }) => at === i)) };
  }
  const verb = bare[1]?.word;
  if (verb === undefined) return { words: noun, commands };
  throw unknownVerb(noun, verb, bare.slice(2), commands);
}

interface Bare {
  readonly word: string;
  readonly at: number;
}

/** The words that are neither options nor the values of these options. */
function bareWords(words: readonly string[], takingValues: ReadonlySet<string>): Bare[] {
  const bare: Bare[] = [];
  for (const [at, word] of words.entries()) {
    if (word === '--') break;
    if (!isOption(word) && !takingValues.has(words[at - 1] ?? '')) bare.push({ word, at });
  }
  return bare;
}

const valueOptions = (commands: Commands) =>
  new Set(
    Object.values(commands).flatMap(({ verb, spellings }) =>
      [...spelledOptions(verb.options, spellings)]
        .filter(([, name]) => verb.options[name]?.type !== 'flag')
        .map(([spelling]) => spelling),
    ),
  );

async function commandsOf(noun: string, next: string | undefined, elsewhere: Elsewhere): Promise<Commands> {
  if (Object.hasOwn(nouns, noun)) return (await nouns[noun]?.()) ?? {};
  const old = Object.hasOwn(aliases, noun) ? await aliased(noun) : undefined;
  if (old !== undefined) return { [noun]: old };
  let foreign: Commands;
  try {
    foreign = await elsewhere();
  } catch (error) {
    const unreached = asSltvError(error);
    throw unreached.kind === 'cancelled' ? unreached : await unknownNoun(noun, next, {}, unreached);
  }
  const theirs = Object.entries(foreign).filter(([words]) => nounOf(words) === noun);
  if (theirs.length > 0) return Object.fromEntries(theirs);
  throw await unknownNoun(noun, next, foreign, undefined);
}

const nounOf = (words: string) => words.split(' ')[0] ?? '';

/** Words of other tools for what our verbs do. */
const SYNONYMS: Readonly<Record<string, string>> = {
  add: 'create',
  new: 'create',
  ls: 'list',
  get: 'show',
  info: 'show',
  grow: 'extend',
  rm: 'delete',
  remove: 'delete',
  destroy: 'delete',
};

function unknownVerb(noun: string, word: string, later: readonly Bare[], commands: Commands) {
  const verbs = Object.keys(commands).map((words) => words.slice(noun.length + 1));
  const isVerb = (each: string) => verbs.includes(each);
  const synonym = [SYNONYMS[word] ?? ''].find(isVerb);
  // `sltv disk web1 delete`.
  const likely = synonym ?? meant(word, verbs) ?? later.map((each) => SYNONYMS[each.word] ?? each.word).find(isVerb);
  return coreErrors('unknown-verb', `sltv ${noun} has no verb '${word}'`, {
    hint: likely === undefined ? `it has ${verbs.join(', ')}` : `did you mean sltv ${noun} ${likely}?`,
  });
}

async function unknownNoun(noun: string, next: string | undefined, foreign: Commands, unreached: Error | undefined) {
  const all = [...Object.keys(nouns), ...Object.keys(aliases), ...Object.keys(foreign).map(nounOf)];
  const likely = (await swapped(noun, next)) ?? (await withNoun(noun)) ?? meant(noun, all);
  const message = unreached
    ? `sltv itself has no '${noun}', and the verbs of plugins need the daemon: ${unreached.message}`
    : `sltv has no '${noun}'`;
  const otherwise = unreached
    ? "for a plugin's verb start the daemon, else see sltv help"
    : 'sltv help lists what there is';
  return coreErrors('unknown-verb', message, {
    hint: likely === undefined ? otherwise : `did you mean sltv ${likely}?`,
  });
}

/** `sltv list` means one of `sltv disk list`, `sltv pool list`, …. */
async function withNoun(verb: string): Promise<string | undefined> {
  const word = SYNONYMS[verb] ?? verb;
  const fitting = Object.keys(await allCommands()).filter((words) => words.split(' ')[1] === word);
  return fitting.length === 0 ? undefined : fitting.join(', sltv ').replace(/, (?=[^,]*$)/, ' or ');
}

/** `sltv list disk` means `sltv disk list`. */
async function swapped(verb: string, noun: string | undefined): Promise<string | undefined> {
  if (noun === undefined || !Object.hasOwn(nouns, noun)) return undefined;
  const words = `${noun} ${SYNONYMS[verb] ?? verb}`;
  return (await nouns[noun]?.())?.[words] === undefined ? undefined : words;
}
