// The lock protocol: each step as one transaction, from what is known to what is asked of the store. Pure, and the whole of it:
// whatever these transactions allow can happen, and nothing else, whoever sends them, in which order, and however late.
//
// Late matters: a call that got no answer may still be carried out long after its caller has given up. So whoever must not
// be surprised writes its session key anew (`voidEarlier`), and everything that names the session as it was fails from then on.
import type { AllKeys } from './keys.ts';
import type { Compare, Entry, Keys, Op, Outcome, Txn } from './kv.ts';
import { Halted, Held, Mark, Over, read, written } from './stored.ts';

/** Who asks. */
export interface Self {
  readonly node: string;
  readonly boot: string;
  readonly instance: string;
  readonly machineId: string;
  readonly pid: number;
  readonly started: string;
}

/** In which session: its lease, and the revisions of its key and of the store's generation as it knows them. */
export interface Ground {
  readonly lease: string;
  readonly session: bigint;
  readonly generation: bigint;
}

export interface Attempt {
  readonly name: string;
  /** What its record is. */
  readonly value: string;
}

export type Holder = NonNullable<ReturnType<typeof holderOf>>;
const holderOf = (entry: Entry | undefined) => read(Held, entry);

/** All that decides about a lock. */
export interface Seen {
  readonly session: bigint;
  readonly generation: bigint;
  readonly halted: { readonly because: string; readonly by: string; readonly since: Date } | undefined;
  /** The proof by which the asker's own boot is over. */
  readonly ownOver: string | undefined;
  readonly lock: Entry | undefined;
  readonly record: Entry | undefined;
  readonly holder: Holder | undefined;
  /** By their keys, first come first. */
  readonly waiters: readonly string[];
  readonly mark: KnownMark;
}

/** A mark with the revision at which it was written; 0n: there is none. */
export interface KnownMark {
  readonly mod: bigint;
  readonly token: bigint;
  readonly mark: string | undefined;
  readonly isOrderly: boolean;
}

export const NO_MARK: KnownMark = { mod: 0n, token: 0n, mark: undefined, isOrderly: true };

/** The next holder's token: above all before, also when the store forgot those of generations before this one. */
export const nextToken = (before: KnownMark, generation: number): bigint => {
  const first = BigInt(generation) << 32n;
  return before.token + 1n > first ? before.token + 1n : first;
};

export const newAttempt = (
  { machineId, ...self }: Self,
  name: string,
  about: {
    readonly token: bigint;
    readonly attempt: number;
    readonly since: Date;
    readonly children?: string | undefined;
  },
): Attempt => ({ name, value: written({ ...self, ...about }) }); // JSON leaves out what is undefined

const holds = {
  ground: (keys: AllKeys, self: Self, ground: Ground): readonly Compare[] => [
    { key: keys.session(self.instance), mod: ground.session },
    { key: keys.generation, mod: ground.generation },
    { key: keys.halted, is: 'absent' },
    { key: keys.over(self.node, self.boot), is: 'absent' },
  ],
};

const gets = (...ranges: readonly (string | Keys)[]): readonly Op[] =>
  ranges.map((range) => ({ get: typeof range === 'string' ? { key: range } : range }));

const lookAt = (keys: AllKeys, self: Self, name: string): readonly Op[] =>
  gets(
    keys.session(self.instance),
    keys.meta,
    keys.over(self.node, self.boot),
    keys.lock(name),
    keys.record(name),
    keys.waiters(name),
    keys.mark(name),
  );

/** What a transaction here has found, when it has looked. */
export function seenIn(keys: AllKeys, { found }: Outcome): Seen {
  const [session, meta, over, lock, record, waiters, mark] = found.slice(-LOOKS);
  const told = (at: string) => meta?.find(({ key }) => key === at);
  return {
    session: session?.[0]?.mod ?? 0n,
    generation: told(keys.generation)?.mod ?? 0n,
    halted: read(Halted, told(keys.halted)),
    ownOver: read(Over, over?.[0])?.proof,
    lock: lock?.[0],
    record: record?.[0],
    holder: holderOf(record?.[0]),
    waiters: (waiters ?? []).map(({ key }) => key),
    mark: markIn(mark?.[0]),
  };
}

/** The ops of `lookAt`. */
const LOOKS = 7;

export function look(keys: AllKeys, self: Self, name: string): Txn {
  return { when: [], act: lookAt(keys, self, name), otherwise: [] };
}

/**
 * Takes a free lock. `queued`: the key by which the asker waits, as the first; without it, nobody may wait. Who takes it in
 * passing has what most often changes for an answer (`glanceIn`): more would cost each of the many that succeed.
 */
export function acquire(
  keys: AllKeys,
  self: Self,
  ground: Ground,
  { name, value }: Attempt,
  before: KnownMark,
  queued?: string,
): Txn {
  return {
    when: [
      ...holds.ground(keys, self, ground),
      { key: keys.lock(name), is: 'absent' },
      { key: keys.record(name), is: 'absent' },
      queued === undefined ? { ...keys.waiters(name), is: 'absent' } : { key: queued, is: 'present' },
      { key: keys.mark(name), mod: before.mod },
    ],
    act: [
      { put: { key: keys.lock(name), value: self.node, lease: ground.lease } },
      { put: { key: keys.record(name), value } },
      ...(queued === undefined ? [] : [{ remove: { key: queued } }]),
    ],
    otherwise: queued === undefined ? gets(keys.record(name), keys.mark(name)) : lookAt(keys, self, name),
  };
}

/** What an attempt in passing has found that took nothing. */
export function glanceIn({ found: [record, mark] }: Outcome): { readonly isHeld: boolean; readonly mark: KnownMark } {
  return { isHeld: record?.[0] !== undefined, mark: markIn(mark?.[0]) };
}

function markIn(entry: Entry | undefined): KnownMark {
  const known = read(Mark, entry);
  return entry && known ? { ...known, mark: known.mark, mod: entry.mod } : NO_MARK;
}

/** Begins to wait, behind all who wait already. */
export function enqueue(keys: AllKeys, self: Self, ground: Ground, name: string, queued: string): Txn {
  return {
    when: holds.ground(keys, self, ground),
    act: [{ put: { key: queued, value: self.node, lease: ground.lease } }, ...lookAt(keys, self, name)],
    otherwise: lookAt(keys, self, name),
  };
}

/** A lock that was taken: the revision at which its key and its record were written, both by one transaction. */
export interface Taken {
  readonly name: string;
  readonly at: bigint;
}

/** Whether a lock is still its holder's. */
export function prove(keys: AllKeys, ground: Ground, { name, at }: Taken): Txn {
  return {
    when: [
      { key: keys.generation, mod: ground.generation },
      { key: keys.halted, is: 'absent' },
      { key: keys.lock(name), mod: at },
      { key: keys.record(name), mod: at },
    ],
    act: [],
    otherwise: [],
  };
}

/** Gives a lock back with its mark, when the record is still the holder's; otherwise it is another's, or nobody's. */
export function release(keys: AllKeys, { name, at }: Taken, mark: Omit<KnownMark, 'mod'>): Txn {
  return {
    when: [{ key: keys.record(name), mod: at }],
    act: [
      { put: { key: keys.mark(name), value: written(mark) } },
      { remove: { key: keys.lock(name) } },
      { remove: { key: keys.record(name) } },
    ],
    otherwise: [],
  };
}

/** From here on nothing that this session asked for earlier happens any more; and it waits no longer as `queued`. */
export function voidEarlier(keys: AllKeys, self: Self, lease: string, queued: string | undefined): Txn {
  return {
    when: [],
    act: [
      { put: { key: keys.session(self.instance), value: self.node, lease } },
      ...(queued === undefined ? [] : [{ remove: { key: queued } }]),
    ],
    otherwise: [],
  };
}

/** Takes back an attempt that may have succeeded and of which nobody was told. Nothing was written under it. */
export function abandon(keys: AllKeys, { name, value }: Attempt): Txn {
  return {
    when: [{ key: keys.record(name), value }],
    act: [{ remove: { key: keys.lock(name) } }, { remove: { key: keys.record(name) } }],
    otherwise: [],
  };
}

/**
 * Takes a lock from a holder that is over, and tells the next one so. `because`: its boot is over, as the store has it; or its
 * process and all that it started are known to have ended; or it is known to be of an earlier boot, of which only a lease may be left.
 */
export function takeOver(
  keys: AllKeys,
  { name, seen, holder }: { readonly name: string; readonly seen: Seen; readonly holder: Holder },
  because: 'boot-over' | 'process-ended' | 'earlier-boot',
): Txn {
  return {
    when: [
      { key: keys.record(name), mod: seen.record?.mod ?? 0n },
      { key: keys.mark(name), mod: seen.mark.mod },
      ...(because === 'boot-over' ? [{ key: keys.over(holder.node, holder.boot), is: 'present' } as const] : []),
      ...(because === 'earlier-boot' ? [{ key: keys.lock(name), is: 'absent' } as const] : []),
    ],
    act: [
      { put: { key: keys.mark(name), value: written({ ...afterwards(seen, holder) }) } },
      { remove: { key: keys.lock(name) } },
      { remove: { key: keys.record(name) } },
    ],
    otherwise: [],
  };
}

const afterwards = ({ mark }: Seen, { token }: Holder) => ({ mark: mark.mark, token, isOrderly: false });
