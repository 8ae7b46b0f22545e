// What a core verb is to the command line: the declaration, such as a plugin gives too, and what it asks of the daemon.
import type { Client } from '../client/index.ts';
import type { Field, Fields, Gives, Input, Values, Verb } from '../kernel/verb.ts';
import { watchable } from './watch.ts';
import type { World } from './world.ts';

/** What a running command has at hand. */
export interface At {
  /** The daemon; nothing is sent before the first call. */
  client(): Promise<Client>;
  readonly world: World;
  /** `--config`, as it was given. */
  readonly config: string | undefined;
  /** Fires at Ctrl-C, or when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** `--timeout`, as it was given, in milliseconds: a verb whose work takes long has a default of its own. */
  readonly timeout?: number | undefined;
}

/** A value with what is declared of it. */
export interface Fact {
  readonly name: string;
  readonly field: Field;
  readonly value: unknown;
}

/** What came back. */
export interface Reply<Row = Readonly<Record<string, unknown>>> {
  /** For `--json`: the daemon's message, as it came. */
  readonly message: unknown;
  /** For people: one for an item, any number for a list. */
  readonly rows?: readonly Row[];
  /** For people: what an item has beyond what its verb declares, after that. */
  readonly more?: readonly Fact[];
  /** For people: a sentence, instead of rows. */
  readonly said?: string;
  /** For people at a terminal: one line, which takes the place of the one before; `isLast`: nothing takes its place. */
  readonly bar?: { readonly text: string; readonly isLast: boolean };
  /** What they should know besides; goes to stderr, also under `--json`. */
  readonly remarks?: readonly string[];
  /** The process's exit code; default 0. */
  readonly exit?: number;
}

/** Other spellings of options, such as the old command line's: `{ pool: ['vg'] }`. */
export type Spellings = Readonly<Record<string, readonly string[]>>;

export interface Command {
  readonly verb: Verb;
  readonly spellings: Spellings;
  /** The replies of a stream come one by one, and those of a list that is watched. */
  run(input: Readonly<Record<string, unknown>>, at: At): Promise<Reply> | AsyncIterable<Reply>;
}

/** Commands by the words after `sltv`, as a plugin's verbs are: `disk create`. */
export type Commands = Readonly<Record<string, Command>>;

type Run<V extends Verb, R extends Fields> = (
  input: Input<V>,
  at: At,
) => Promise<Reply<Values<R>>> | AsyncIterable<Reply<Values<R>>>;

/** Ties a declaration to what it does. */
export const command = <const A extends Fields, const O extends Fields, const R extends Fields, const S extends Gives>(
  verb: Verb<A, O, R, S>,
  run: Run<Verb<A, O, R, S>, R>,
  spellings: Spellings = {},
): Command =>
  watchable({
    verb,
    spellings,
    // `parse` gives every value the type that the declaration says.
    run: (input, at) => run(input as Input<Verb<A, O, R, S>>, at),
  });
