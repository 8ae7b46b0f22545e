// Waiting for another node, which is at the same disk this very moment, to be through.
import { setTimeout as pause } from 'node:timers/promises';
import { SltvError } from '../errors.ts';

/** Milliseconds: between two attempts, and for all of them. A start waits behind it. */
const PAUSE = 150;
const PATIENCE = 10_000;

/** Attempts again and again for as long as somebody else is about to take the disk. Errors: the last attempt's. */
export async function patiently<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const isPassing = error instanceof SltvError && error.code === 'core/disk-claimed';
      if (!isPassing || performance.now() > until) throw error;
    }
    await pause(PAUSE, undefined, { signal });
  }
}
