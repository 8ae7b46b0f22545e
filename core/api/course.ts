// How a call goes, told to whoever follows it. Only the latest is kept: a follower that is slow misses what is past.
import type { SltvError } from '../errors.ts';
import type { Progress, Tell } from '../kernel/verb.ts';
import { patiently } from '../patiently.ts';

export interface Ended {
  /** What came out of it instead of an answer. */
  readonly error: SltvError | undefined;
  readonly milliseconds: number;
}

export interface Course {
  readonly tell: Tell;
  /** Nothing is told after it. */
  end(ended: Ended): void;
  /** What was told last. */
  latest(): Progress | undefined;
  /** Where it is, each time that this has changed, and last how it ended. Errors: the signal's reason. */
  follow(signal: AbortSignal): AsyncIterable<Progress | Ended>;
}

export function createCourse(): Course {
  let latest: Progress | undefined;
  let end: Ended | undefined;
  let changed = Promise.withResolvers<void>();
  const change = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  return {
    tell(progress) {
      if (end) return;
      latest = progress;
      change();
    },
    end(ended) {
      end = ended;
      change();
    },
    latest: () => latest,
    async *follow(signal) {
      let seen: Progress | undefined;
      for (;;) {
        signal.throwIfAborted();
        const next = changed.promise;
        if (latest !== undefined && latest !== seen) {
          seen = latest;
          yield latest;
        } else if (end) {
          yield end;
          return;
        } else await patiently(next, [signal]);
      }
    },
  };
}
