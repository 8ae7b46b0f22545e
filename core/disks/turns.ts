// One operation at a time on one disk: the second waits, and then sees what the first has made.
import type { Turn } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';

export interface Turns {
  /** Runs `work` once all earlier work on `key` has ended. Its signal ends only the waiting. */
  take<T>(key: string, by: Waiting, work: () => Promise<T>): Promise<T>;
  /** Whether somebody works on `key` now. */
  isTaken(key: string): boolean;
}

/** Who waits for his turn: a call, or the daemon itself. */
type Waiting = Pick<Call, 'signal' | 'tell'>;

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    isTaken: (key) => last.has(key),
    async take(key, { signal, tell }, work) {
      if (last.has(key)) tell?.({ stage: 'waiting for another operation on the disk' });
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

/** A call's turn at a pool. */
export const turnOf = ({ signal, tell }: Waiting): Turn => ({ signal, tell });
