// The command line.
import type { Client } from '../client/index.ts';
import { coreErrors } from '../errors.ts';
import type { Verb } from '../kernel/verb.ts';
import type { At, Command } from './command.ts';
import { printFailure } from './failure.ts';
import { find } from './find.ts';
import { type Globals, globalSpellings, readGlobals, splitGlobals } from './globals.ts';
import { nounHelp, topHelp, verbHelp } from './help.ts';
import { allCommands } from './nouns.ts';
import { parse } from './parse.ts';
import { printReply } from './render.ts';
import { placeholderOf } from './usage.ts';
import type { World } from './world.ts';

export type { Local, World } from './world.ts';

/** Does what the words after `sltv` say; the exit code. It never throws. */
export async function cli(argv: readonly string[], world: World): Promise<number> {
  const gone = new AbortController();
  world.stdout.on?.('error', (error) => gone.abort(error));
  const { own, rest } = splitGlobals(argv);
  const json = own.includes('--json');
  try {
    const signal = AbortSignal.any([world.signal, gone.signal]);
    const exit = await run(rest, readGlobals(own, world.env), { ...world, signal });
    // A stream tells what became of a write in a turn of its own.
    await new Promise((resolve) => setImmediate(resolve));
    return gone.signal.aborted ? unread(world, gone.signal.reason, json, exit) : exit;
  } catch (error) {
    return gone.signal.aborted ? unread(world, gone.signal.reason, json, 0) : printFailure(world, error, json);
  }
}

/** Whoever reads no more (`| head`) has what they wanted; whose disk is full has not. */
function unread(world: World, error: unknown, json: boolean, exit: number): number {
  if (!(error instanceof Error) || ('code' in error && error.code === 'EPIPE')) return exit;
  const failure = coreErrors('no-space', `the answer could not be written: ${error.message}`, {
    hint: 'what was asked for is done; write the answer to a place that has room',
    cause: error,
  });
  return printFailure(world, failure, json);
}

async function run(words: readonly string[], globals: Globals, world: World): Promise<number> {
  let client: Client | undefined;
  const at: At = {
    world,
    config: globals.config,
    signal: world.signal,
    timeout: globals.timeout,
    async client() {
      const { connect } = await import('../client/index.ts');
      client ??= connect({ addr: globals.addr, tls: globals.tls, timeout: globals.timeout });
      return client;
    },
  };
  // Nobody is to wait long for the news that a word was mistyped, unless they said how long.
  const timeout = globals.timeout ?? PLUGINS_PATIENCE;
  const elsewhere = async () =>
    (await import('./foreign.ts')).foreignCommands(await at.client(), { signal: at.signal, timeout });

  // `sltv help disk create` and `sltv disk help`.
  const topic = words.filter((word, i) => word !== 'help' || i > 1);
  const isHelp = globals.help === true || topic.length < words.length;
  const asked = globals.version ? ['version'] : topic;
  const found = await find(asked, elsewhere);
  if (found === undefined) {
    if (asked.length > 0)
      parse({ title: 'sltv', args: {}, options: {}, spellings: {}, nearby: globalSpellings }, asked);
    world.stdout.write(topHelp(await allCommands()));
    return 0;
  }
  if ('commands' in found) {
    (isHelp ? world.stdout : world.stderr).write(nounHelp(found.words, found.commands));
    return isHelp ? 0 : NO_VERB;
  }
  const title = `sltv ${found.words}`;
  if (!isHelp) return perform(title, found.command, found.rest, at, globals.json === true);
  world.stdout.write(verbHelp(title, found.command));
  return 0;
}

/** Milliseconds. */
const PLUGINS_PATIENCE = 5_000;

/** As for any other bad input. */
const NO_VERB = 2;

async function perform(
  title: string,
  command: Command,
  words: readonly string[],
  at: At,
  json: boolean,
): Promise<number> {
  const { verb, spellings } = command;
  const input = parse({ title, ...verb, spellings, nearby: globalSpellings }, words);
  mustSayWhat(title, verb, input);
  const answer = command.run(input, at);
  const comesAgain = Symbol.asyncIterator in answer;
  const replies = comesAgain ? answer : [await answer];
  let exit = 0;
  let first = true;
  const widths: number[] = [];
  for await (const reply of replies) {
    printReply(at.world, verb, reply, { json, first, comesAgain, widths });
    exit = reply.exit ?? 0;
    first = false;
  }
  return exit;
}

/** `sltv disk delete "$DISK"` with a variable that is not set is about nothing. */
function mustSayWhat(title: string, { args }: Verb, input: Readonly<Record<string, unknown>>): void {
  const empty = Object.keys(args).find((name) => input[name] === '');
  if (empty === undefined) return;
  throw coreErrors('input', `${title} was given an empty word for ${placeholderOf(empty)}`, {
    hint: 'is a variable of a script not set?',
  });
}
