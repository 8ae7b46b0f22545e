// What the protocol needs of a store: transactions, leases, and being told that something may have changed. Small, so that a
// store in memory can stand in for etcd wherever the protocol itself is what is tried.

/** One key, or with `end` all keys from `key` up to and without it. */
export interface Keys {
  readonly key: string;
  readonly end?: string;
}

export interface Entry {
  readonly key: string;
  readonly value: string;
  /** The revisions at which it was last written, and at which it came to be. */
  readonly mod: bigint;
  readonly created: bigint;
}

/** A fact that must hold of every one of these keys; `mod: 0n` and `absent`: there is none. */
export type Compare = Keys &
  ({ readonly is: 'absent' | 'present' } | { readonly mod: bigint } | { readonly value: string });

export type Op =
  | { readonly get: Keys }
  /** Lives as long as its lease does, when it has one. */
  | { readonly put: { readonly key: string; readonly value: string; readonly lease?: string } }
  | { readonly remove: Keys };

/** All of `act` when every fact of `when` holds, else all of `otherwise`; nothing in between is ever seen. */
export interface Txn {
  readonly when: readonly Compare[];
  readonly act: readonly Op[];
  readonly otherwise: readonly Op[];
}

export interface Outcome {
  readonly holds: boolean;
  /** What each op found, in their order; ordered by when the entries came to be. Empty for those that read nothing. */
  readonly found: readonly (readonly Entry[])[];
  /** The store's revision right after it. Never lower than any that an answer had before this was asked. */
  readonly revision: bigint;
}

export interface GrantedLease {
  readonly id: string;
  /** Seconds; may be more than was asked for. */
  readonly ttl: number;
}

export interface KeptAlive {
  /** Seconds that the lease has from when this was answered; 0 when it is no more. */
  readonly ttl: number;
  /** Of whichever member answered, which may be behind the others. */
  readonly revision: bigint;
}

/** Every call ends within seconds. Errors: `etcd-lock/…` of kind `unavailable`, and then what was asked may be done all the same, even later. */
export interface Kv {
  /** Errors: LeaseGone when it would put on a lease that is no more; then nothing was done. */
  txn(txn: Txn): Promise<Outcome>;
  /** A lease for so many seconds, without keys. */
  grant(ttl: number): Promise<GrantedLease>;
  keepAlive(lease: string): Promise<KeptAlive>;
  /** Ends a lease, and with it its keys. One that is no more is no failure. */
  revoke(lease: string): Promise<void>;
  /**
   * Calls `changed` after anything has changed there, and whenever something may have: once watching has begun, and again
   * each time it has begun anew. Whoever is told has to look.
   */
  watch(keys: readonly Keys[], changed: () => void): Disposable;
  close(): void;
}

export class LeaseGone extends Error {
  constructor(lease: string, cause?: unknown) {
    super(`the lease ${lease} is no more`, { cause });
    this.name = 'LeaseGone';
  }
}

/** All keys that begin with these words. */
export function under(prefix: string): Keys {
  const last = prefix.charCodeAt(prefix.length - 1);
  return { key: prefix, end: prefix.slice(0, -1) + String.fromCharCode(last + 1) };
}
