// Pools that can't give guests what they need: said when it begins and when it ends, not at every try.
import { type Event, formatSize, type Log, PoolShort } from 'sltv';

export interface Shortages {
  /** This pool could not give what was wanted, bytes. */
  begin(pool: string, room: { readonly free: bigint; readonly wanted: bigint }): void;
  /** Ends the shortage of every pool but those for whose room somebody still waits. */
  endUnless(waiting: readonly string[]): void;
}

export function createShortages(log: Log, emit: <T>(event: Event<T>, what: T) => void): Shortages {
  const wantedOf = new Map<string, bigint>();
  return {
    begin(pool, { free, wanted }) {
      if (!wantedOf.has(pool)) {
        const sizes = { free: formatSize(free), wanted: formatSize(wanted) };
        const hint = `sltv pool extend ${pool} /dev/…`;
        log.warn('a pool is too full for its guests; they are served as soon as there is room', {
          pool,
          ...sizes,
          hint,
        });
        emit(PoolShort, { pool, isShort: true, free, wanted });
      }
      wantedOf.set(pool, wanted);
    },
    endUnless(waiting) {
      for (const [pool, wanted] of wantedOf) {
        if (waiting.includes(pool)) continue;
        wantedOf.delete(pool);
        log.info('a pool has room for its guests again', { pool });
        emit(PoolShort, { pool, isShort: false, free: 0n, wanted });
      }
    },
  };
}
