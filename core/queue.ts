// Whose turn it is: one at a time, running guests' extensions before everything else.
import type { Turn } from './capabilities/storage.ts';

export interface Queue {
  /** Runs `work` alone, when it is its turn. The turn's signal ends the waiting, never work that has begun. */
  run<T>(turn: Turn, work: () => Promise<T>): Promise<T>;
  /** Whether somebody's work runs. */
  isTaken(): boolean;
  /** Whether somebody waits for his turn. */
  isAwaited(): boolean;
}

/** A queue for one thing that only one may change at a time, among the callers of this process. */
export function createQueue(): Queue {
  const waiting: Waiter[] = [];
  let taken = false;
  const pass = () => {
    const next = takeFirst(waiting);
    taken = next !== undefined;
    next?.begin();
  };
  return {
    async run(turn, work) {
      turn.signal.throwIfAborted();
      if (taken) turn.tell?.({ stage: 'waiting for others that write to the pool' });
      if (taken) await arrive(waiting, turn);
      taken = true;
      try {
        return await work();
      } finally {
        pass();
      }
    },
    isTaken: () => taken,
    isAwaited: () => waiting.length > 0,
  };
}

interface Waiter {
  readonly turn: Turn;
  readonly begin: () => void;
}

function arrive(waiting: Waiter[], turn: Turn): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      waiting.splice(waiting.indexOf(waiter), 1);
      reject(turn.signal.reason);
    };
    const begin = () => {
      turn.signal.removeEventListener('abort', leave);
      resolve();
    };
    const waiter = { turn, begin };
    waiting.push(waiter);
    turn.signal.addEventListener('abort', leave, { once: true });
  });
}

/** The most urgent; among equals whoever came first. */
function takeFirst(waiting: Waiter[]): Waiter | undefined {
  const [first, ...later] = waiting;
  if (first === undefined) return undefined;
  const chosen = later.reduce((best, other) => (goesBefore(other.turn, best.turn) ? other : best), first);
  waiting.splice(waiting.indexOf(chosen), 1);
  return chosen;
}

function goesBefore({ urgency: a }: Turn, { urgency: b }: Turn): boolean {
  if (a === undefined || b === undefined) return a !== undefined && b === undefined;
  return a.secondsToFull < b.secondsToFull;
}
