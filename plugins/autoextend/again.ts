// What has failed is tried again soon, and less and less soon while it goes on failing.
import { setTimeout as sleep } from 'node:timers/promises';

export interface Trying {
  readonly work: () => void;
  /** Milliseconds between a failure and the next try, at most. */
  readonly longest: number;
  readonly life: AbortSignal;
  /** Milliseconds, on a clock that only goes forward. */
  readonly now: () => number;
  /** Resolves after so many milliseconds. */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/** Milliseconds from a first failure to the next try. */
const FIRST = 1_000;

/**
 * Answers with what is to be called at each failure. All that fail before the next try share it; the waits double, up to the
 * longest, and begin anew when nothing has failed for twice that.
 */
export function createAgain({ work, longest, life, now, pause = pauseOf(life) }: Trying): () => void {
  let wait = FIRST;
  let failedAt = Number.NEGATIVE_INFINITY;
  let isWaiting = false;

  async function tryAfter(milliseconds: number): Promise<void> {
    isWaiting = true;
    // Only the daemon's end keeps it from its end.
    await pause(milliseconds).catch(() => {});
    isWaiting = false;
    if (!life.aborted) work();
  }

  return () => {
    const at = now();
    if (at - failedAt > 2 * longest) wait = FIRST;
    failedAt = at;
    if (isWaiting || life.aborted) return;
    void tryAfter(Math.min(wait, longest));
    wait = Math.min(2 * wait, longest);
  };
}

const pauseOf = (signal: AbortSignal) => (milliseconds: number) => sleep(milliseconds, undefined, { signal });
