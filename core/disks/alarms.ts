// What a person should see to, for as long as it is so: told once in the log, and in `sltv status` until it is over.
import type { Log } from '../log.ts';

export interface Alarms {
  /** Something is wrong; `key` is the same for as long as it is the same thing. */
  raise(key: string, sentence: string): void;
  /** It is over. */
  clear(key: string): void;
  sentences(): readonly string[];
}

export function createAlarms(log: Log): Alarms {
  const raised = new Map<string, string>();
  return {
    raise(key, sentence) {
      if (raised.get(key) !== sentence) log.error(sentence);
      raised.set(key, sentence);
    },
    clear: (key) => void raised.delete(key),
    sentences: () => [...raised.values()],
  };
}
