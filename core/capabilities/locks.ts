// Locks: who may write to a pool, among all who could.
//
// You implement this when several writers share storage. A lock here is *not re-entrant*: two requests on one host
// exclude each other exactly as two hosts do. `domain` names the world in which your locks mean something; storage is
// marked with it, and nobody writes to storage marked with another one. A lease can be lost: fire `lost` the moment you can
// no longer prove that you hold it, counting from when the proof was *asked for*; whoever holds it starts nothing more.
// `token` grows with every acquisition of the same name. Waiters are served in order of arrival; a signal ends only the
// waiting. The conformance suite `locksConformance` in 'sltv/testing' holds you to all of this.
import { one } from '../kernel/capability.ts';

export interface Lease extends AsyncDisposable {
  readonly token: bigint;
  readonly lost: AbortSignal;
  /** Milliseconds for which the lease is proven; Infinity where it can't expire. */
  remaining(): number;
}

export interface Locks {
  /** `local/<machine-id>` or `etcd/<cluster id>`: written into every pool that these locks protect. */
  readonly domain: string;
  /** Waits its turn for `name`. Kinds: `cancelled` by the signal, `unavailable` when the locks are out of reach. */
  acquire(name: string, signal: AbortSignal): Promise<Lease>;
}

export const Locks = one<Locks>('locks');
