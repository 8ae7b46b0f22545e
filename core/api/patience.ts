// How long a call is waited for: its deadline, its client, the daemon's own life, in one signal whose reason is an SltvError.
import { Code, ConnectError } from '@connectrpc/connect';
import { coreErrors, SltvError } from '../errors.ts';

export interface Patience {
  readonly signal: AbortSignal;
  /** What comes out of the work, or the signal's reason when that comes first. */
  orGone<T>(work: Promise<T>): Promise<T>;
  end(reason: SltvError): void;
  /** The call is over: what becomes of its connection means nothing any more. */
  release(): void;
}

/** `transport` fires at the deadline, and when the client goes away. */
export function patienceOf(transport: AbortSignal): Patience {
  const ours = new AbortController();
  const pass = () => ours.abort(reasonOf(transport.reason));
  if (transport.aborted) pass();
  else transport.addEventListener('abort', pass, { once: true });
  return {
    signal: ours.signal,
    orGone: (work) => orGone(work, ours.signal),
    end: (reason) => ours.abort(reason),
    release: () => transport.removeEventListener('abort', pass),
  };
}

/** A stream waits many times under one signal, so each wait leaves nothing behind on it. */
async function orGone<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const gone = Promise.withResolvers<never>();
  let last: NodeJS.Timeout | undefined;
  const leave = () => {
    const go = () => gone.reject(signal.reason);
    if (isLate(signal)) last = setTimeout(go, LAST_WORDS);
    else go();
  };
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, gone.promise]);
  } catch (error) {
    throw isLate(signal) ? withLastWords(signal.reason, error) : error;
  } finally {
    clearTimeout(last);
    signal.removeEventListener('abort', leave);
  }
}

/** Milliseconds for which work whose deadline has passed may say what it was waiting for. */
const LAST_WORDS = 500;

const isLate = ({ aborted, reason }: AbortSignal): boolean =>
  aborted && reason instanceof SltvError && reason.kind === 'timeout';

/** Work that was given up because of the deadline, and knows what it waited for. */
function withLastWords(reason: SltvError, error: unknown): unknown {
  if (error === reason || !(error instanceof SltvError) || error.kind !== 'cancelled') return error;
  return coreErrors('timeout', `${reason.message}: ${error.message}`, {
    hint: error.hint ?? reason.hint,
    cause: error,
  });
}

function reasonOf(reason: unknown): SltvError {
  return reason instanceof ConnectError && reason.code === Code.DeadlineExceeded
    ? coreErrors('timeout', 'the deadline of this call has passed', {
        hint: 'wait longer (--timeout); what has begun to be written is finished',
        cause: reason,
      })
    : coreErrors('cancelled', 'the caller has gone', { cause: reason });
}
