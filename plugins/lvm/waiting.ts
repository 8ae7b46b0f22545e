// Waiting for work that others may be waiting for, too, and for time to pass.
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for shared work: the signal ends the waiting, not the work. */
export function waitFor<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const leave = () => reject(signal.reason);
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  return promise;
}

/** Lets so many milliseconds pass; keeps no process alive that has nothing else to do. The signal ends it with its reason. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false });
}
