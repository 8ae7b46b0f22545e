// Waiting for work that goes on whether we wait or not.

/**
 * Waits until the work is done, and answers with what comes of it; undefined after so many milliseconds. A signal ends it with
 * its reason. Nothing is left behind on the signals, which may live much longer than the wait.
 */
export async function patiently<T>(
  work: Promise<T>,
  signals: readonly AbortSignal[],
  milliseconds?: number,
): Promise<T | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  const leave = () => reject(signals.find(({ aborted }) => aborted)?.reason);
  const timer = milliseconds === undefined ? undefined : setTimeout(() => resolve(undefined), milliseconds);
  for (const signal of signals) signal.addEventListener('abort', leave, { once: true });
  if (signals.some(({ aborted }) => aborted)) leave();
  work.then(resolve, reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener('abort', leave);
  }
}
