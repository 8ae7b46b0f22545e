// Having a VG's lock. It passes through the cluster for each tenure, and who gets it has to read what others have written: so a
// tenure serves those of this daemon's turns that wait already, too, for a moment; then it is the others'.
import type { Lease } from 'sltv';
import type { Guard } from './guard.ts';

export interface Tenure {
  readonly lease: Lease;
  /** Undefined where nobody but this process ever has the lock. */
  readonly guard: Guard | undefined;
}

export interface TenureOptions {
  /** Gets the lock. */
  readonly begin: (signal: AbortSignal) => Promise<Tenure>;
  /** Gives it back, with the mark of what was written. */
  readonly end: (tenure: Tenure) => Promise<void>;
  /** Whether a turn waits for the one in hand. */
  readonly isAwaited: () => boolean;
  /** Milliseconds on a clock that never goes back. */
  readonly now?: () => number;
}

export interface Tenures {
  /** Does one turn's work under the lock. One at a time: its caller sees to that. */
  serve<T>(signal: AbortSignal, work: (tenure: Tenure) => Promise<T>): Promise<T>;
  /** Gives back what was kept for a turn that does not come. */
  settle(): Promise<void>;
}

export function createTenures({ begin, end, isAwaited, now = () => performance.now() }: TenureOptions): Tenures {
  /** What the last turn has left for the next. */
  let kept: { readonly tenure: Tenure; readonly until: number } | undefined;

  async function take(signal: AbortSignal) {
    const left = kept;
    kept = undefined;
    if (left && !left.tenure.lease.lost.aborted) return left;
    if (left) await end(left.tenure);
    const tenure = await begin(signal);
    return { tenure, until: now() + LONGEST };
  }

  return {
    async serve(signal, work) {
      const own = await take(signal);
      let goesOn = false;
      try {
        const done = await work(own.tenure);
        goesOn = own.tenure.guard !== undefined && isAwaited() && now() < own.until;
        return done;
      } finally {
        if (goesOn) kept = own;
        else await end(own.tenure);
      }
    },
    async settle() {
      const left = kept;
      kept = undefined;
      if (left) await end(left.tenure);
    },
  };
}

/**
 * Milliseconds after which a tenure begins no further turn. An extension for a running guest may be waiting on another host, and
 * waits at most this long for each of them.
 */
const LONGEST = 500;
