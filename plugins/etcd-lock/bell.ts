// Being told that something may have changed, without losing what changes while one looks.
import { patiently } from 'sltv';
import type { Keys, Kv } from './kv.ts';

export interface Bell extends Disposable {
  /** For what no watch tells. */
  ring(): void;
  /** Resolves when it has rung since the last time, or when so many milliseconds have passed. The signals end it with their reason. */
  rung(signals: readonly AbortSignal[], milliseconds?: number): Promise<void>;
}

/** Rings first when watching has begun. */
export function bellAt(kv: Kv, keys: readonly Keys[]): Bell {
  let next = Promise.withResolvers<void>();
  const watching = kv.watch(keys, () => next.resolve());
  return {
    ring: () => next.resolve(),
    async rung(signals, milliseconds) {
      const bell = next;
      await patiently(bell.promise, signals, milliseconds);
      if (next === bell) next = Promise.withResolvers<void>();
    },
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  };
}
