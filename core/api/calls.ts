// Every call passes here: who may make it, its id, its deadline, its end in the log and on the bus, and its errors.
import { randomUUID } from 'node:crypto';
import { createContextKey, type HandlerContext, type Interceptor } from '@connectrpc/connect';
import { OperationFinished } from '../capabilities/disks.ts';
import { coreErrors, type SltvError } from '../errors.ts';
import type { Booted } from '../kernel/boot.ts';
import type { Call } from '../kernel/verb.ts';
import type { Log } from '../log.ts';
import { asFailure, toConnectError } from './failures.ts';
import { look, type Request, type Rule, type Seen } from './methods.ts';
import { type Patience, patienceOf } from './patience.ts';
import { demandRole } from './roles.ts';

/** Set by the listener that a request came through. */
export const callerKey = createContextKey<Call['caller']>({ name: 'nobody', role: 'viewer' });
const callKey = createContextKey<Call | undefined>(undefined);

/** The call that a handler answers. */
export function callOf(context: HandlerContext): Call {
  const call = context.values.get(callKey);
  if (call) return call;
  throw new Error('this method is served without the interceptor of calls');
}

/** Whether asking again with the same words can be told from asking for more: only with an id of the client's own. */
export const isRepeatable = ({ requestId }: Call): boolean => !requestId.startsWith(MADE_UP);

export interface Calls {
  readonly interceptor: Interceptor;
  /** Lets no call begin any more, ends streams, and waits for the rest; what is left after `graceMs` is cancelled. */
  stop(graceMs: number): Promise<void>;
}

/** A call in hand: until the end of its work, which may come after its answer. */
interface Hand {
  readonly call: Call;
  readonly patience: Patience;
  readonly isStream: boolean;
  /** Resolves when the work is over. */
  readonly over: Promise<void>;
  /** The work is over; `error`: what came out of it instead of an answer. */
  end(error?: SltvError): void;
}

export function createCalls({ booted, log }: { booted: Pick<Booted, 'emit'>; log: Log }): Calls {
  const hands = new Set<Hand>();
  let isStopping = false;

  const begin = (request: Request, { rule, subject }: Seen): Hand => {
    const begun = performance.now();
    const requestId = givenId(request) ?? `${MADE_UP}${randomUUID()}`;
    const caller = request.contextValues.get(callerKey);
    const patience = patienceOf(request.signal);
    const over = Promise.withResolvers<void>();
    const hand: Hand = {
      call: { signal: patience.signal, caller, requestId },
      patience,
      isStream: request.stream,
      over: over.promise,
      end(error) {
        patience.release();
        hands.delete(hand);
        over.resolve();
        const finished = {
          operation: rule.operation,
          subject: subject(),
          result: error?.code ?? 'ok',
          milliseconds: performance.now() - begun,
          requestId,
          caller: caller.name,
        };
        report(log, rule, { ...finished, milliseconds: Math.round(finished.milliseconds * 10) / 10 }, error);
        booted.emit(OperationFinished, finished);
      },
    };
    hands.add(hand);
    return hand;
  };

  const admit = (request: Request, rule: Rule, { call }: Hand): void => {
    if (isStopping) throw stopping();
    call.signal.throwIfAborted();
    if (request.header.has(REQUEST_ID) && givenId(request) === undefined) throw badRequestId();
    demandRole(rule.operation, rule.role, call);
    request.contextValues.set(callKey, call);
  };

  const interceptor: Interceptor = (next) => async (request) => {
    const seen = look(request);
    const hand = begin(request, seen);
    const work = (async () => {
      admit(request, seen.rule, hand);
      return await next(seen.request);
    })();
    if (!request.stream) {
      void work.then(
        () => hand.end(),
        (error) => hand.end(asFailure(error, hand.call)),
      );
    }
    try {
      // Who has waited long enough is answered at once; what the work has begun to write it finishes.
      const response = await hand.patience.orGone(work);
      return response.stream ? { ...response, message: handOut(response.message, hand) } : response;
    } catch (error) {
      const failure = asFailure(error, hand.call);
      if (request.stream) hand.end(failure);
      throw toConnectError(failure);
    }
  };

  return {
    interceptor,
    async stop(graceMs) {
      isStopping = true;
      for (const { isStream, patience } of hands) if (isStream) patience.end(stopping());
      const grace = Promise.withResolvers<void>();
      const timer = setTimeout(grace.resolve, graceMs);
      await Promise.race([Promise.all([...hands].map(({ over }) => over)), grace.promise]);
      clearTimeout(timer);
      for (const { patience } of hands) patience.end(stopping());
    },
  };
}

const REQUEST_ID = 'sltv-request-id';

/** Ids that we made up begin so: nobody can repeat such a call. */
const MADE_UP = 'auto-';

/** The client's own id. Only letters that are safe in a note of the storage, where the id of an operation stands. */
function givenId({ header }: Request): string | undefined {
  const id = header.get(REQUEST_ID) ?? '';
  return /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$/.test(id) && !id.startsWith(MADE_UP) ? id : undefined;
}

/** A stream's results as they come. An implementation that doesn't hear the signal is left behind. */
async function* handOut<T>(results: AsyncIterable<T>, hand: Hand): AsyncGenerator<T, void> {
  const source = results[Symbol.asyncIterator]();
  let failure: SltvError | undefined;
  try {
    while (true) {
      const step = await hand.patience.orGone(source.next());
      if (step.done) return;
      yield step.value;
    }
  } catch (error) {
    failure = asFailure(error, hand.call);
    throw toConnectError(failure);
  } finally {
    void source.return?.().catch(() => {});
    hand.end(failure);
  }
}

/** Our own failures are errors, a caller's mistake is not. */
function report(log: Log, rule: Rule, finished: object, error: SltvError | undefined): void {
  if (error === undefined) {
    log[rule.role === 'viewer' ? 'debug' : 'info']('call answered', finished);
    return;
  }
  const { kind, message, cause } = error;
  if (kind === 'internal') {
    log.error('call failed', {
      ...finished,
      error: message,
      cause,
      stack: cause instanceof Error ? cause.stack : error.stack,
    });
  } else {
    log[kind === 'unavailable' ? 'warn' : 'info']('call refused', { ...finished, error: message, cause });
  }
}

const stopping = () =>
  coreErrors('stopping', 'the daemon is stopping', { hint: 'systemctl status sltv; then repeat the command' });

const badRequestId = () =>
  coreErrors('input', `the header ${REQUEST_ID} has an id that can't be one`, {
    hint: `letters, digits and _ . : - , at most 100, not beginning with '${MADE_UP}', such as a uuid`,
  });
