// Work that is asked for more often than it need be done.

/**
 * Runs `work` at most once at a time. Who asks while it runs gets the run after it, which all who ask meanwhile share: every
 * answer is from a run that began after its question.
 */
export function coalesce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const run = (): Promise<void> => {
    const mine = work().finally(() => {
      if (running === mine) running = undefined;
    });
    running = mine;
    return mine;
  };
  const again = (): Promise<void> => {
    next = undefined;
    return run();
  };
  return () => {
    if (next !== undefined) return next;
    if (running === undefined) return run();
    next = running.then(again, again);
    return next;
  };
}
