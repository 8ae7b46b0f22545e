// Asking again when the connection failed, until the deadline. Only where asking twice is the same as asking once.
import { SltvError } from '../errors.ts';
import { freshId } from './call.ts';
import type { Protocol } from './protocol.ts';

/**
 * The same protocol, whose calls outlast a daemon that is not there for a while, such as one that is being upgraded: all
 * tries of a call have one request id and share its deadline, and the last one's error is the call's. A stream is not
 * begun again: what has been seen of it would be seen twice. `timeout`: milliseconds of a call that has none of its own.
 */
export function repeating(protocol: Protocol, timeout: number): Protocol {
  return {
    ...protocol,
    async call(path, body, options) {
      const requestId = options.requestId ?? freshId();
      const end = performance.now() + (options.timeout ?? timeout);
      for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
        const left = Math.max(1, Math.ceil(end - performance.now()));
        try {
          return await protocol.call(path, body, { ...options, requestId, timeout: left });
        } catch (error) {
          if (!mayRepeat(error, path) || performance.now() + pause >= end) throw error;
        }
        await rest(pause, options.signal);
      }
    },
  };
}

/** Milliseconds. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

function mayRepeat(error: unknown, path: string): boolean {
  if (!(error instanceof SltvError) || error.kind !== 'unavailable') return false;
  return isHarmlessTwice(path) || wasNeverHeard(error);
}

/** What reads, and what the daemon keeps by its request id. Verbs of plugins and commands of pools may be anything. */
const isHarmlessTwice = (path: string): boolean => /^\/sltv\.v1\.(Sltv\/|\w+\/(Get|List))/.test(path);

/** No daemon was there to begin with it, or one that said it doesn't. */
function wasNeverHeard({ code, cause }: SltvError): boolean {
  if (code === 'core/stopping') return true;
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED');
}

/** Ends early with the signal, which the next try then tells. */
function rest(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end, { once: true });
  });
}
