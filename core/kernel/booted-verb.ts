// A plugin's verb, ready to be called: its input decoded, its answer held to what it declared, its failures told by its name.
import { asSltvError, coreErrors, KINDS, SltvError } from '../errors.ts';
import type { Behalf } from './behalf.ts';
import type { Call, Verb } from './verb.ts';
import { decodeInput } from './verb-input.ts';
import { flawOfAnswer, flawOfResult, isStream, shown } from './verb-result.ts';

export interface BootedVerb {
  readonly plugin: string;
  readonly verb: Verb;
  /**
   * Decodes an input from the wire and calls the plugin. What comes back is the plugin's own values, by `verb.gives`: an
   * object, a list of them, a stream of them (`AsyncIterable`), or nothing. Errors: `core/input` with the field's name; the
   * plugin's own; `core/plugin-failed` for all else that it throws, and for an answer that it did not declare.
   */
  run(input: unknown, call: Call): Promise<unknown> | AsyncIterable<unknown>;
}

type Handler = (input: never, call: Call) => unknown;

/** `handler` is what the plugin's setup returned under these words. */
export function bootedVerb(plugin: string, words: string, verb: Verb, handler: unknown, behalf: Behalf): BootedVerb {
  if (typeof handler !== 'function') throw coreErrors('config', `plugin ${plugin} returned no function for '${words}'`);
  // decodeInput gives exactly what the declaration says, which is what definePlugin checked the handler against.
  const answer = handler as Handler;
  const onBehalf = <T>(call: Call, step: () => T | Promise<T>): Promise<T> =>
    behalf.run(plugin, async () => {
      try {
        return await step();
      } catch (error) {
        throw asFailureOf(plugin, words, error, call);
      }
    });
  const mustBeDeclared = (flaw: string | undefined, call: Call): void => {
    if (flaw === undefined) return;
    throw failed(`plugin ${plugin} answered '${words}' otherwise than it declares: ${flaw}`, call);
  };

  async function single(input: unknown, call: Call): Promise<unknown> {
    const result = await onBehalf(call, () => answer(input as never, call));
    mustBeDeclared(flawOfAnswer(verb, result), call);
    return result;
  }

  /** The body of a generator runs when it is asked for more, and so on its plugin's behalf each time. */
  async function* stream(input: unknown, call: Call): AsyncGenerator<unknown, void> {
    const results = await onBehalf(call, () => answer(input as never, call));
    if (!isStream(results)) {
      throw failed(`plugin ${plugin} answered '${words}' with ${shown(results)}, not with a stream`, call);
    }
    const source = results[Symbol.asyncIterator]();
    let isOver = false;
    try {
      while (true) {
        const step = await onBehalf(call, () => source.next());
        isOver = step.done === true;
        if (isOver) return;
        mustBeDeclared(flawOfResult(verb, step.value), call);
        yield step.value;
      }
    } finally {
      if (!isOver) void onBehalf(call, () => source.return?.()).catch(() => {});
    }
  }

  const run = verb.gives === 'stream' ? stream : single;
  return { plugin, verb, run: (input, call) => run(decodeInput(words, verb, input), call) };
}

/** What a plugin says in our language stays as it is; anything else that it throws is a defect of its own. */
function asFailureOf(plugin: string, words: string, error: unknown, call: Call): unknown {
  if (error instanceof SltvError && error.kind in KINDS) return error;
  if (call.signal.aborted) return error;
  const known = asSltvError(error);
  if (!(error instanceof SltvError) && known.kind !== 'internal') return known;
  return failed(`plugin ${plugin} failed at '${words}': ${known.message}`, call, error);
}

const failed = (message: string, { requestId }: Call, cause?: unknown) =>
  coreErrors('plugin-failed', message, {
    hint: `tell its author; the daemon's log has more under request ${requestId}: journalctl -u sltv`,
    cause,
  });
