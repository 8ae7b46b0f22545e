// What turns on a VG cost: how long for its lock, and how long with it.
import { type Distribution, durationBounds, type Event, Measured } from 'sltv';

/** Tells how long a turn on a pool waited until it had the lock, and how long this daemon had it, in milliseconds. */
export interface LockTimes {
  waited(pool: string, milliseconds: number): void;
  held(pool: string, milliseconds: number): void;
}

const Wait: Distribution = {
  name: 'sltv_lvm_lock_wait_seconds',
  help: 'how long work on a volume group waited for its turn and for the lock',
  labels: ['pool'],
  bounds: durationBounds,
};
const Hold: Distribution = {
  name: 'sltv_lvm_lock_hold_seconds',
  help: 'how long this node had the lock on a volume group, for one turn or for several that waited',
  labels: ['pool'],
  bounds: durationBounds,
};

export function lockTimes(emit: <T>(event: Event<T>, what: T) => void): LockTimes {
  const tell = (of: Distribution) => (pool: string, milliseconds: number) =>
    emit(Measured, { of, value: milliseconds / 1000, labels: { pool } });
  return { waited: tell(Wait), held: tell(Hold) };
}
