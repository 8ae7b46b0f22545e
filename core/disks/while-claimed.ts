// Waiting for another node, which is at the same disk this very moment, to be through.
import { setTimeout as pause } from 'node:timers/promises';
import { SltvError } from '../errors.ts';

/** Milliseconds: between two attempts, and for all of them. A start waits behind it. */
const PAUSE = 150;
const PATIENCE = 10_000;

/**
 * Attempts again and again for as long as somebody else is about to take the disk. An attempt that lasted longer than the
 * patience has waited for the pool's lock, not for the other node: what it rested on has grown old behind others' work,
 * and the patience begins anew, within the signal. `now`: milliseconds. Errors: the last attempt's; the signal's reason.
 */
export async function whileClaimed<T>(
  signal: AbortSignal,
  attempt: () => Promise<T>,
  now = () => performance.now(),
): Promise<T> {
  let until = now() + PATIENCE;
  for (;;) {
    const begun = now();
    try {
      return await attempt();
    } catch (error) {
      const isPassing = error instanceof SltvError && error.code === 'core/disk-claimed';
      if (!isPassing) throw error;
      if (now() - begun > PATIENCE) until = now() + PATIENCE;
      if (now() > until) throw error;
    }
    await pause(PAUSE, undefined, { signal });
  }
}
