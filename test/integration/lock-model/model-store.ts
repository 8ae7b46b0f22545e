// etcd as a value: a transaction makes another store of it and leaves the old one as it was, so that histories can part.
import type { Compare, Entry, Keys, Op, Outcome, Txn } from '../../../plugins/etcd-lock/kv.ts';

interface Kept extends Entry {
  readonly lease: string | undefined;
}

export interface Store {
  /** By key, in the order of their keys. */
  readonly entries: ReadonlyMap<string, Kept>;
  readonly leases: ReadonlySet<string>;
  /** Leases that have been: none of them comes back. */
  readonly revision: bigint;
  /** How often it was set back. Nobody sees that but the explorer. */
  readonly restored: number;
}

export const emptyStore = (): Store => ({ entries: new Map(), leases: new Set(), revision: 1n, restored: 0 });

export function grantLease(store: Store, lease: string): Store {
  return { ...store, leases: new Set([...store.leases, lease].sort()) };
}

export function endLease(store: Store, lease: string): Store {
  const kept = [...store.entries].filter(([, entry]) => entry.lease !== lease);
  const leases = new Set([...store.leases].filter((each) => each !== lease));
  const revision = kept.length < store.entries.size ? store.revision + 1n : store.revision;
  return { ...store, leases, revision, entries: new Map(kept) };
}

/** What would put a key on a lease that is no more is not done at all, as etcd refuses it. */
export function applyTxn(store: Store, txn: Txn): readonly [Store, Outcome] {
  const holds = txn.when.every((compare) => doesHold(store, compare));
  const ops = holds ? txn.act : txn.otherwise;
  const isDead = ops.some((op) => 'put' in op && op.put.lease !== undefined && !store.leases.has(op.put.lease));
  if (isDead) return [store, { holds: false, found: [], revision: store.revision }];
  const entries = new Map(store.entries);
  const revision = store.revision + 1n;
  const found = ops.map((op) => carryOut(entries, op, revision));
  const isChanged = ops.some((op) => !('get' in op)) && !isSame(entries, store.entries);
  const next = isChanged ? { ...store, entries: sorted(entries), revision } : store;
  return [next, { holds, found, revision: next.revision }];
}

function doesHold(store: Store, compare: Compare): boolean {
  const found = within(store.entries, compare);
  if ('is' in compare) return compare.is === 'absent' ? found.length === 0 : found.length > 0;
  if ('value' in compare) return found.length > 0 && found.every(({ value }) => value === compare.value);
  return compare.mod === 0n ? found.length === 0 : found.length > 0 && found.every(({ mod }) => mod === compare.mod);
}

function carryOut(entries: Map<string, Kept>, op: Op, revision: bigint): readonly Entry[] {
  if ('get' in op) return within(entries, op.get).toSorted((a, b) => Number(a.created - b.created));
  if ('remove' in op) {
    for (const { key } of within(entries, op.remove)) entries.delete(key);
    return [];
  }
  const { key, value, lease } = op.put;
  const created = entries.get(key)?.created ?? revision;
  entries.set(key, { key, value, lease, created, mod: revision });
  return [];
}

function within(entries: ReadonlyMap<string, Kept>, { key, end }: Keys): Kept[] {
  if (end === undefined) return [entries.get(key) ?? []].flat();
  return [...entries.values()].filter((entry) => entry.key >= key && entry.key < end);
}

const sorted = (entries: Map<string, Kept>) => new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));

function isSame(a: ReadonlyMap<string, Kept>, b: ReadonlyMap<string, Kept>): boolean {
  return a.size === b.size && [...a].every(([key, entry]) => b.get(key) === entry);
}
