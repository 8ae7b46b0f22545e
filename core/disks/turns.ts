// One operation at a time on one disk: the second waits, and then sees what the first has made.
import { coreErrors } from '../errors.ts';

export interface Turns {
  /** Runs `work` once all earlier work on `key` has ended. The signal ends only the waiting. */
  take<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Whether somebody works on `key` now. */
  isTaken(key: string): boolean;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    isTaken: (key) => last.has(key),
    async take(key, signal, work) {
      const before = last.get(key) ?? Promise.resolve();
      const mine = before.then(() => {
        if (signal.aborted)
          throw coreErrors('cancelled', 'cancelled while another operation on the disk was under way');
        return work();
      });
      const ended = mine.then(
        () => {},
        () => {},
      );
      last.set(key, ended);
      void ended.then(() => {
        if (last.get(key) === ended) last.delete(key);
      });
      return await mine;
    },
  };
}
