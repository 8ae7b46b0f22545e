// Storage: where volumes live.
//
// You implement this when you have a place that can hold disks: a Volume Group, a directory, an array's LUNs. Core knows
// what a *disk* is (thick, thin, attached, half-created); you know what a *volume* is: named bytes with notes beside them.
//
// Three promises carry everything above:
//
// 1. **The notes are the catalogue.** A volume's notes are `key=value` pairs that stand beside its data and survive
//    whatever its data survives. Core keeps all that it knows of a disk there, and nowhere else. Keep notes that you do
//    not know; never make up any. `create` and `annotate` either commit all they were given or nothing.
// 2. **Nothing is committed outside `change`.** A pool hands its `Writer` only to the work that it was given, one at a
//    time and in the order of urgency, under whatever lock protects the pool from other hosts. Reading needs no turn.
//    What the work reads through its writer is the truth at that moment, not a cache.
// 3. **Doing it twice is doing it once.** Removing what is gone, extending to a size that is reached, activating what is
//    active: all succeed and cost no commit. Sizes are read back after the change, never computed.
//
// A command that writes is never killed: when a caller's signal fires, stop waiting *before* the next command, never
// inside one. Errors are yours (declare them with `errors()`); use the kinds `not-found`, `exists`, `exhausted`, `busy`,
// `refused`, `unavailable` in their usual meaning, since core and its callers branch on kinds only.
//
// The conformance suite `storageConformance` in 'sltv/testing' holds you to all of this.
import type { SltvError } from '../errors.ts';
import { event, many } from '../kernel/capability.ts';
import type { Tell } from '../kernel/verb.ts';

/** Notes of one volume or pool: key → values; a key may have several (`on` has two while a VM moves). */
export type Notes = Readonly<Record<string, readonly string[]>>;

/** How the bytes of a volume are laid out: `raw`, or a `qcow2` image straight on it. */
export type Format = 'raw' | 'qcow2';

export interface Volume {
  readonly pool: string;
  /** Unique in its pool; what the user typed for the disk, for layer 0. */
  readonly name: string;
  /** Physical size, bytes, as read back. For a file: what it may grow to is `size`, too (its apparent size for raw). */
  readonly size: bigint;
  /** Where QEMU opens it once it is active. Stable for the volume's life. */
  readonly path: string;
  /** Other names of the path that stay its for life: a VM that somebody else defined may have it by one of them. */
  readonly alsoAt?: readonly string[] | undefined;
  readonly notes: Notes;
  /** Created when and where, as far as the storage knows. */
  readonly createdAt?: Date | undefined;
  readonly createdOn?: string | undefined;
  /** Why its notes can't be read, where they are there: without it a volume without notes is somebody else's. */
  readonly problem?: SltvError | undefined;
}

export interface PoolFacts {
  readonly size: bigint;
  readonly free: bigint;
  /** Allocation unit, bytes: every size is rounded up to it. */
  readonly extent: bigint;
  /** What the pool stands on: PVs, or the directory. */
  readonly devices: readonly string[];
  /** Room for the catalogue itself, bytes, where that can run out. */
  readonly metadata?: { readonly size: bigint; readonly free: bigint } | undefined;
  /** Why nothing may be written here, in a sentence; undefined when it may. */
  readonly readOnlyBecause?: string | undefined;
  /** The pool's own notes, where it keeps any. */
  readonly notes?: Notes | undefined;
  /** Other hosts may see it, too, and write under the locks of this cluster. */
  readonly isShared?: boolean | undefined;
}

/** Who goes first: running guests' extensions, then everything else in order of arrival. */
export interface Turn {
  readonly signal: AbortSignal;
  /** For `extension`: seconds until the guest is out of space; the least goes first. */
  readonly urgency?: { readonly secondsToFull: number } | undefined;
  /** Hears how far it is, from whoever serves the turn: what it waits for, and what takes long. */
  readonly tell?: Tell | undefined;
}

export interface NewVolume {
  readonly name: string;
  /** Bytes, rounded up to the pool's extent. */
  readonly size: bigint;
  readonly notes: Notes;
  readonly format: Format;
  /** Leave it active on this host after creation. */
  readonly active: boolean;
}

/** The right to commit, for as long as the work runs that it was given to. */
export interface Writer {
  /** The volume as it stands now; undefined when there is none. */
  find(name: string): Promise<Volume | undefined>;
  /** All volumes as they stand now. */
  volumes(): Promise<readonly Volume[]>;
  /**
   * Makes a volume with its notes, in one commit. Old data may show through: the caller wipes.
   * Kinds: `exists` when the name is taken, `exhausted` when there is no room, `invalid` when the name can't be.
   */
  create(volume: NewVolume): Promise<Volume>;
  /** Grows to at least `size` bytes, in one commit; never shrinks. Kinds: `not-found`, `exhausted`. */
  extend(name: string, size: bigint): Promise<Volume>;
  /**
   * Adds and drops notes in one commit; what is there already, or gone already, costs none. With `activate`, the volume is
   * active when this returns; the notes are committed before it is. Kinds: `not-found`.
   */
  annotate(name: string, change: { add?: Notes; drop?: Notes; activate?: boolean }): Promise<Volume>;
  /** Takes a volume away, in one commit. Refuses (`busy`) one that is open. Gone already: succeeds. */
  remove(name: string): Promise<void>;
  /**
   * Takes a volume that somebody else made for one of ours, in one commit: it has these notes then, and nothing activates it
   * unasked any more. `isInUse`: a guest has it open, and it stays as it is; else it is inactive when this returns, which proves that
   * nobody has it open. Only where others' volumes can be had. Kinds: `not-found`; `busy` when somebody has it open; `refused` for
   * what is no whole volume by itself, such as a snapshot.
   */
  adopt?(name: string, how: { readonly notes: Notes; readonly isInUse: boolean }): Promise<Volume>;
  /**
   * The way back, in one commit: none of our notes is left, and it is activated as others' volumes are. Its data and its path stay
   * as they are. Somebody else's already, or gone: succeeds. Where there is `adopt`.
   */
  release?(name: string): Promise<void>;
  /** Adds and drops notes of the pool itself, in one commit; as annotate. Only where a pool keeps notes of its own. */
  annotatePool?(change: { add?: Notes; drop?: Notes }): Promise<void>;
}

export interface Pool {
  readonly name: string;
  /** The same on every host that sees this pool, and no other pool's. */
  readonly id: string;
  readonly kind: string;
  /** What the volumes' paths lead to: a hypervisor opens block devices and files differently. */
  readonly source: 'block' | 'file';
  facts(signal: AbortSignal): Promise<PoolFacts>;
  /** All volumes, ours and foreign ones (those without notes), by name. May be as old as the last commit seen. */
  volumes(signal: AbortSignal): Promise<readonly Volume[]>;
  /** Runs `work` when it is its turn, alone. What `work` throws comes out; what it committed stays. */
  change<T>(turn: Turn, work: (writer: Writer) => Promise<T>): Promise<T>;
  /** Makes the volume's path usable on this host; no commit. */
  activate(name: string, signal: AbortSignal): Promise<void>;
  /** Takes the path away again; refuses (`busy`) while anybody has it open. No commit. */
  deactivate(name: string, signal: AbortSignal): Promise<void>;
  /** Whether the path is usable on this host now. Cheap: no process is started. */
  isActive(volume: Volume): Promise<boolean>;
  /** Says why a disk of this name and format can't be, in a sentence; undefined when it can. */
  objectsTo?(name: string): string | undefined;
  /** Adds devices to the pool; only where a pool stands on devices. */
  readonly grow?: (devices: readonly string[], signal: AbortSignal) => Promise<void>;
  /** Whether the path on this host has the volume's size: another host may have extended it. Only where that can differ. */
  readonly isCurrent?: (volume: Volume) => Promise<boolean>;
  /** Brings an active path to its volume's size; nothing for one that is not active. No commit. */
  readonly refresh?: (name: string, signal: AbortSignal) => Promise<void>;
  /**
   * Gives the pool to this daemon's locks, so that every host of their domain may use it. The caller knows that nobody writes
   * by the locks that it had. Done already: succeeds. Kinds: `refused` where that can't be.
   */
  readonly share?: (signal: AbortSignal) => Promise<void>;
  /**
   * Gives the pool of another host, which is gone for good, to this daemon's locks. The caller vouches that nothing of that host
   * runs. `before` is done first, under these locks, and the pool is theirs with the last commit: what was interrupted is begun
   * again. Ours already: succeeds, without `before`. Kinds: `refused` where it is no single host's.
   */
  readonly take?: (signal: AbortSignal, before: (writer: Writer) => Promise<void>) => Promise<void>;
  /** Takes the catalogue as it stands for the right one, after somebody has written without the lock. No commit. */
  readonly accept?: (signal: AbortSignal) => Promise<void>;
  /**
   * Runs a command that a person typed, for the tools that this storage is made with, alone and under the pool's lock; what it
   * changes counts as ours. Also where somebody wrote without the lock, so that it can be mended: that stays to be accepted.
   * A status other than 0 is an answer. Kinds: `refused` where this daemon may not write.
   */
  readonly shell?: (words: readonly string[], signal: AbortSignal) => Promise<Said>;
}

/** What a command said, and the status it ended with. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface NewPool {
  readonly name: string;
  readonly devices: readonly string[];
}

export interface Storage {
  /** `lvm`, `dir`, …: what `sltv pool list` shows. */
  readonly kind: string;
  /**
   * The pools this host has now. A pool of the config that isn't there is left out, and said in the log once. Where that is
   * answered from an earlier look: one that lacked the pool that is `wanted` does not do for who wants it.
   */
  pools(signal: AbortSignal, wanted?: string): Promise<readonly Pool[]>;
  /**
   * The pools of the last answer of `pools`, without looking for them again: for who asks all the time. Only where `pools` may start
   * a process.
   */
  seen?(): readonly Pool[];
  /** Why a pool that the config names was not among `pools` the last time, for who asks for it; undefined for other names. */
  absence?(name: string): SltvError | undefined;
  /** Makes a pool; only where a kind can. Kinds: `exists`, `refused` for a device in use. */
  readonly createPool?: (pool: NewPool, signal: AbortSignal) => Promise<Pool>;
}

export const Storage = many<Storage>('storage');

/** Whether a VM's disk at this path is the volume; by names alone, which tell also while it is not active. */
export const isAt = ({ path, alsoAt }: Pick<Volume, 'path' | 'alsoAt'>, where: string | undefined): boolean =>
  where !== undefined && (where === path || alsoAt?.includes(where) === true);

/** A pool got more room. */
export const PoolGrown = event<{ readonly pool: string }>('pool.grown', ({ pool }) => ({
  subject: pool,
  message: 'has more room',
}));
