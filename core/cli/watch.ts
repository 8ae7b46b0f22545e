// `--watch`: a list that is asked for again and again.
import type { Field } from '../kernel/verb.ts';
import type { At, Command, Reply } from './command.ts';

/** The same command; one that only reads and gives a list has `--watch` besides, unless it has an option of that name itself. */
export function watchable(command: Command): Command {
  const { verb } = command;
  if (verb.gives !== 'list' || verb.role !== 'viewer' || Object.hasOwn(verb.options, 'watch')) return command;
  return {
    ...command,
    verb: { ...verb, options: { ...verb.options, watch: WATCH } },
    run: ({ watch, ...input }, at) => (watch === true ? again(command, input, at) : command.run(input, at)),
  };
}

/** Milliseconds between an answer and the next question. */
const PAUSE = 2_000;

const WATCH: Field = { type: 'flag', about: `show it again every ${PAUSE / 1000} s, until Ctrl-C` };

/** A reply for each round. Ctrl-C is how it ends, and no error. */
async function* again(command: Command, input: Readonly<Record<string, unknown>>, at: At): AsyncIterable<Reply> {
  try {
    for (;;) {
      const answer = command.run(input, at);
      if (Symbol.asyncIterator in answer) yield* answer;
      else yield await answer;
      await at.world.pause(PAUSE, at.signal);
    }
  } catch (error) {
    if (!at.signal.aborted) throw error;
  }
}
