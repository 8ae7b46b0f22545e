// Locks: who may write to a pool, among all who could.
//
// You implement this when several writers share storage. A lock here is *not re-entrant*: two requests on one host
// exclude each other exactly as two hosts do. `domain` names the world in which your locks mean something; storage is
// marked with it, and nobody writes to storage marked with another one. Four promises:
//
// 1. **A lease can be lost, and then it says so.** Fire `lost` the moment you can no longer prove that you hold it, counting
//    from when the proof was *asked for*. Whoever holds it asks `prove()` before each thing that can't be undone, and starts
//    nothing more when that rejects.
// 2. **A lock outlives its lease while its holder may still be writing.** Nobody gets it before the holder has given it back
//    or is proven to be over; a lease that has run out is no proof. Where a lock passes on without having been given back, the
//    next holder is told (`isOrderly: false`) until one of them has left a mark again.
// 3. **A mark passes from holder to holder**: what the storage looked like when the last one had finished. You keep it
//    together with giving the lock back, or not at all, and don't read it.
// 4. **Nothing waits without end.** Out of reach is an error within seconds; waiting for somebody ends with the caller's signal.
//
// `token` grows with every acquisition of the same name. Waiters are served in order of arrival; a signal ends only the
// waiting. The conformance suite `locksConformance` in 'sltv/testing' holds you to all of this.
import { one } from '../kernel/capability.ts';

/** What the holder before left of a lock. */
export interface Handover {
  /** Undefined: nobody has left one yet. */
  readonly mark: string | undefined;
  /** False: somebody held it since and did not give it back in order, so that what the mark tells may be past. */
  readonly isOrderly: boolean;
}

export interface Lease extends AsyncDisposable {
  readonly token: bigint;
  readonly lost: AbortSignal;
  /** Milliseconds for which the lease is proven; Infinity where it can't expire. */
  remaining(): number;
  /**
   * Resolves while it is held: at once where time alone shows it, else after asking whoever grants it. Kinds: `unavailable`
   * when it is lost or can't be proven within seconds.
   */
  prove(): Promise<void>;
  /** Undefined where locks keep no marks: nobody but this process ever holds them. */
  readonly handover: Handover | undefined;
  /** The mark for the next holder, kept when this lease is given back. Without a call the next one gets this one's handover. */
  leave(mark: string): void;
}

export interface Locks {
  /** `local/<machine-id>` or `etcd/<cluster id>`: written into every pool that these locks protect. */
  readonly domain: string;
  /**
   * Waits its turn for `name`. Kinds: `cancelled` by the signal, `unavailable` when the locks are out of reach, or as a whole
   * refuse until a person has said what happened to them. `children`: under which of `Runner.write`'s locks the holder's
   * commands run. They may outlive their process, so where that ends, nobody gets `name` before they have ended, too.
   */
  acquire(name: string, signal: AbortSignal, children?: string): Promise<Lease>;
}

export const Locks = one<Locks>('locks');
