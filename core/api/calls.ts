// Every call passes here: who may make it, its id, its deadline, its end in the log and on the bus, and its errors.
import { randomUUID } from 'node:crypto';
import { createContextKey, type HandlerContext, type Interceptor } from '@connectrpc/connect';
import { OperationFinished } from '../capabilities/disks.ts';
import { coreErrors, type SltvError } from '../errors.ts';
import type { Booted } from '../kernel/boot.ts';
import type { Call, Role } from '../kernel/verb.ts';
import type { Log } from '../log.ts';
import { patiently } from '../patiently.ts';
import { type Course, createCourse } from './course.ts';
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
  /** The calls whose work has not ended, the oldest first. */
  inHand(): readonly InHand[];
  /** The call with this request id, the oldest of them; undefined when none is in hand. */
  find(requestId: string): InHand | undefined;
  /** Gives up the calls with this request id; false when there is none. */
  cancel(requestId: string, by: Call['caller']): boolean;
  /**
   * Lets no call begin any more but those about the stop itself, ends streams, and waits for the rest; what is left after
   * `graceMs` is cancelled.
   */
  stop(graceMs: number): Promise<void>;
}

/** A call in hand, as others see it. */
export interface InHand {
  readonly call: Call;
  /** `disk.create`. */
  readonly operation: string;
  readonly subject: string;
  readonly begunAt: Date;
  readonly course: Pick<Course, 'latest' | 'follow'>;
}

/** A call in hand: until the end of its work, which may come after its answer. */
interface Hand {
  readonly call: Call;
  readonly rule: Rule;
  readonly subject: () => string;
  readonly begunAt: Date;
  readonly patience: Patience;
  readonly course: Course;
  /** A stream has no end to wait for. */
  readonly endsWithStop: boolean;
  /** Resolves when the work is over. */
  readonly over: Promise<void>;
  /** The work is over; `error`: what came out of it instead of an answer. */
  end(error?: SltvError): void;
}

export function createCalls({ booted, log }: { booted: Pick<Booted, 'emit' | 'verbs'>; log: Log }): Calls {
  const hands = new Set<Hand>();
  let isStopping = false;

  const begin = (request: Request, { rule, subject }: Seen): Hand => {
    const begun = performance.now();
    const requestId = givenId(request) ?? `${MADE_UP}${randomUUID()}`;
    const caller = request.contextValues.get(callerKey);
    const patience = patienceOf(request.signal);
    const over = Promise.withResolvers<void>();
    const course = createCourse();
    const hand: Hand = {
      call: { signal: patience.signal, caller, requestId, tell: course.tell },
      rule,
      subject,
      begunAt: new Date(),
      patience,
      course,
      endsWithStop: request.stream && !rule.duringStop,
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
        course.end({ error, milliseconds: finished.milliseconds });
        report(
          log,
          leastRole(rule, finished.subject),
          { ...finished, milliseconds: Math.round(finished.milliseconds * 10) / 10 },
          error,
        );
        booted.emit(OperationFinished, finished);
      },
    };
    hands.add(hand);
    return hand;
  };

  /** A verb of a plugin has one of its own. */
  const leastRole = (rule: Rule, subject: string): Role =>
    (rule.subject === 'words' ? booted.verbs.get(subject)?.verb.role : undefined) ?? rule.role;

  const admit = (request: Request, rule: Rule, { call }: Hand): void => {
    if (isStopping && !rule.duringStop) throw stopping();
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
    inHand: () => [...hands].map(seenFromOutside),
    find(requestId) {
      const hand = [...hands].find(({ call }) => call.requestId === requestId);
      return hand && seenFromOutside(hand);
    },
    cancel(requestId, by) {
      const meant = [...hands].filter(({ call }) => call.requestId === requestId);
      for (const { patience } of meant) patience.end(coreErrors('cancelled', `the call was cancelled by ${by.name}`));
      return meant.length > 0;
    },
    async stop(graceMs) {
      isStopping = true;
      for (const { endsWithStop, patience } of hands) if (endsWithStop) patience.end(stopping());
      await patiently(Promise.all([...hands].map(({ over }) => over)), [], graceMs);
      for (const { patience } of hands) patience.end(stopping());
    },
  };
}

const seenFromOutside = ({ call, rule, subject, begunAt, course }: Hand): InHand => ({
  ...{ call, begunAt, course },
  operation: rule.operation,
  subject: subject(),
});

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

/** A line for each call that may change something. Our own failures are errors, a caller's mistake is not. */
function report(log: Log, role: Role, finished: object, error: SltvError | undefined): void {
  if (error === undefined) {
    log[role === 'viewer' ? 'debug' : 'info']('call answered', finished);
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
