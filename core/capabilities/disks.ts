// Disks: what core makes of pools and VMs. Core provides this one; the API and plugins such as autoextend use it.
import type { SltvError } from '../errors.ts';
import { event, gate, many, one } from '../kernel/capability.ts';
import type { Call, Fields } from '../kernel/verb.ts';
import { formatSize, KiB, MiB } from '../units.ts';
import type { Format } from './storage.ts';

export type Mode = 'thick' | 'thin';

/** The states of docs/on-disk-format.md. */
export type DiskState =
  | 'foreign'
  | 'creating'
  | 'adopting'
  | 'ready'
  | 'owned'
  | 'attaching'
  | 'detaching'
  | 'resizing'
  | 'moving'
  | 'deleting'
  | 'wiping'
  | 'conflict';

export interface Disk {
  readonly id: string;
  readonly name: string;
  readonly pool: string;
  readonly mode: Mode;
  /** Physical size, bytes. */
  readonly size: bigint;
  /** What the guest sees, bytes. */
  readonly virtualSize: bigint;
  readonly path: string;
  /** Other names of the path that stay its for life. */
  readonly alsoAt?: readonly string[] | undefined;
  readonly state: DiskState;
  readonly createdOn: string | undefined;
  readonly createdAt: Date | undefined;
  readonly lastExtendedAt: Date | undefined;
  /** Thin disks: how far the image is known to be written, bytes; a lower bound, kept with the volume lately. */
  readonly end: bigint | undefined;
  /** What plugins keep with it, by key: `autoextend.step`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly owner:
    | { readonly vm: string; readonly vmName: string; readonly target: string; readonly readOnly: boolean }
    | undefined;
}

export interface Attachment {
  /** The disk as `pool/name`, and its name alone. */
  readonly pool: string;
  readonly disk: string;
  readonly vm: string;
  readonly vmName: string;
  readonly node: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly attachedAt: Date | undefined;
}

export interface CreateRequest {
  readonly name: string;
  /** Undefined: the default pool. */
  readonly pool?: string | undefined;
  readonly mode: Mode;
  /** Bytes. Thick: what the guest sees. Thin: the first physical size; undefined: the configured one. */
  readonly size?: bigint | undefined;
  /** Bytes; thin disks need it. */
  readonly virtualSize?: bigint | undefined;
}

/** Without a name: all of a pool that can be. */
export interface AdoptRequest {
  /** A volume that sltv did not make: its name, `pool/name`, or a path of it. */
  readonly name?: string | undefined;
  /** Undefined: where that name is; without a name, the default pool. */
  readonly pool?: string | undefined;
  /** What is on it, as the administrator knows it; undefined: as VMs have it. */
  readonly format?: Format | undefined;
}

/** What became of a volume that was to be a disk. */
export type Adoption =
  | { readonly disk: Disk; readonly because: string; readonly refusal?: undefined }
  | { readonly pool: string; readonly name: string; readonly refusal: SltvError };

/** Names are a bare disk name, or `pool/name`. VMs are named or given by uuid. Sizes are bytes. */
export interface Disks {
  create(request: CreateRequest, call: Call): Promise<Disk>;
  delete(request: { readonly name: string; readonly force: boolean }, call: Call): Promise<void>;
  /**
   * Takes volumes that sltv did not make for disks, with what is on them, and for the VMs that have them: one, which throws when it
   * can't be; or all of a pool, of which each is told.
   */
  adopt(request: AdoptRequest, call: Call): Promise<readonly Adoption[]>;
  /** Lets a disk go: its volume stays, with what is on it, and is somebody else's. `attached`: also one that a VM has, which keeps it. */
  forget(request: { readonly name: string; readonly attached: boolean }, call: Call): Promise<void>;
  /** Takes a pool over from a host that is gone for good, with all its disks. The caller vouches for that. */
  takePool(request: { readonly name: string }, call: Call): Promise<void>;
  list(request: { readonly pool?: string | undefined }, call: Call): Promise<readonly Disk[]>;
  show(request: { readonly name: string }, call: Call): Promise<Disk>;
  /** Grows the physical size, to `size` or by `delta`; on a thick disk also what the guest sees. */
  extend(
    request: { readonly name: string; readonly size?: bigint | undefined; readonly delta?: bigint | undefined },
    call: Call,
  ): Promise<Disk>;
  /** Grows what the guest sees. */
  resize(request: { readonly name: string; readonly virtualSize: bigint }, call: Call): Promise<Disk>;
  attach(
    request: {
      readonly disk: string;
      readonly vm: string;
      readonly target?: string | undefined;
      readonly readOnly: boolean;
    },
    call: Call,
  ): Promise<Attachment>;
  detach(request: { readonly disk: string; readonly vm: string }, call: Call): Promise<void>;
  attachments(
    request: { readonly disk?: string | undefined; readonly vm?: string | undefined },
    call: Call,
  ): Promise<readonly Attachment[]>;

  /**
   * Grows a thin disk's volume to `to` bytes, for a guest that would fill it in `secondsToFull`: ahead of all else that waits
   * for the pool, asked at no gate, out of the pool's reserve if need be, and by what is left where that is less. Kinds:
   * `exhausted` when nothing is left.
   */
  grow(
    disk: Pick<Disk, 'pool' | 'name'>,
    wish: { readonly to: bigint; readonly secondsToFull: number },
    signal: AbortSignal,
  ): Promise<Disk>;
  /**
   * The size, bytes, that a thin disk's volume never needs to pass: that of its image with every cluster written. Undefined
   * where there is none, because the image holds snapshots or bitmaps. Runs qemu-img: not on the way of an extension.
   */
  fullSize(disk: Pick<Disk, 'pool' | 'name'>, signal: AbortSignal): Promise<bigint | undefined>;
  /**
   * Remembers how far a thin disk is written, bytes; never less than before. It is written with the volume's next commit, or
   * within a minute; at once when it is final, because nobody writes to the disk any more and its next guest's room rests on it.
   * Best called when the disk's guest has most room: what was remembered half a minute ago is written then, which has the pool.
   */
  noteEnd(disk: Pick<Disk, 'pool' | 'name'>, end: bigint, isFinal?: boolean): void;
  /** Keeps settings of a plugin with a disk, in one commit; undefined takes one away. Keys begin with the plugin's name and a dot. */
  keep(
    request: { readonly name: string; readonly settings: Readonly<Record<string, string | undefined>> },
    call: Call,
  ): Promise<Disk>;
  /** What a person should see to now, in sentences: a volume that is active where it may not be. */
  alarms(): readonly string[];
}

/**
 * Bytes that an image of ours never passes, without asking anybody: in clusters of 64 KiB, each takes 8 bytes of mapping and 2 of
 * counting, and the rest is a few clusters. Snapshots and bitmaps come on top.
 */
export const fullSizeAtMost = (virtualSize: bigint): bigint => virtualSize + virtualSize / (4n * KiB) + MiB;

export const Disks = one<Disks>('disks');

/**
 * What a plugin knows of a disk beyond what the storage says: `sltv disk show` and `GetDisk` add it. `of` answers from memory,
 * undefined where there is nothing to say.
 */
export interface DiskFacts<F extends Fields = Fields> {
  readonly fields: F;
  of(disk: Disk): Readonly<Record<string, unknown>> | undefined;
}

export const DiskFacts = many<DiskFacts>('disk-facts');

export const CreateDisk = gate<{
  readonly disk: string;
  readonly pool: string;
  readonly mode: Mode;
  readonly size: bigint;
  readonly virtualSize: bigint;
}>('disk.create');
export const DeleteDisk = gate<{ readonly disk: string; readonly pool: string }>('disk.delete');
export const AttachDisk = gate<{
  readonly disk: string;
  readonly pool: string;
  readonly vm: string;
  readonly vmName: string;
}>('disk.attach');

const nameOf = ({ pool, name }: Disk): string => `${pool}/${name}`;

export const DiskCreated = event<{ readonly disk: Disk }>('disk.created', ({ disk }) => ({
  subject: nameOf(disk),
  message: `was created, ${disk.mode}, ${formatSize(disk.virtualSize)}`,
  values: { id: disk.id, mode: disk.mode, size: disk.size, virtualSize: disk.virtualSize },
}));
export const DiskAdopted = event<{ readonly disk: Disk; readonly because: string }>(
  'disk.adopted',
  ({ disk, because }) => ({
    subject: nameOf(disk),
    message: `was adopted, ${disk.mode}${disk.owner ? `, as ${disk.owner.target} of ${disk.owner.vmName}` : ''}: ${because}`,
    values: { id: disk.id, mode: disk.mode, size: disk.size, virtualSize: disk.virtualSize },
  }),
);
export const DiskForgotten = event<{ readonly pool: string; readonly disk: string; readonly id: string }>(
  'disk.forgotten',
  ({ pool, disk, id }) => ({
    subject: `${pool}/${disk}`,
    message: 'was let go: it is no disk any more',
    values: { id },
  }),
);
export const DiskDeleted = event<{ readonly pool: string; readonly disk: string; readonly id: string }>(
  'disk.deleted',
  ({ pool, disk, id }) => ({ subject: `${pool}/${disk}`, message: 'was deleted', values: { id } }),
);
/** `automatic`: for a guest that was about to fill it, by nobody's command. */
export const DiskExtended = event<{ readonly disk: Disk; readonly from: bigint; readonly automatic: boolean }>(
  'disk.extended',
  ({ disk, from, automatic }) => ({
    subject: nameOf(disk),
    message: `grew from ${formatSize(from)} to ${formatSize(disk.size)}${automatic ? ', ahead of its guest' : ''}`,
    values: { id: disk.id, from, to: disk.size, automatic },
  }),
);
/** A guest stands still because its disk is full. */
export const DiskPaused = event<{ readonly disk: Disk; readonly vm: string; readonly target: string }>(
  'disk.paused',
  ({ disk, vm, target }) => ({
    subject: nameOf(disk),
    message: `is full: VM ${disk.owner?.vmName ?? vm} stands still`,
    values: { id: disk.id, vm, target, size: disk.size },
  }),
);
/** And runs again. */
export const DiskResumed = event<{
  readonly disk: Disk;
  readonly vm: string;
  readonly target: string;
  readonly milliseconds: number;
}>('disk.resumed', ({ disk, vm, target, milliseconds }) => ({
  subject: nameOf(disk),
  message: `has room: VM ${disk.owner?.vmName ?? vm} runs again, after ${(milliseconds / 1000).toFixed(1)} s`,
  values: { id: disk.id, vm, target, milliseconds },
}));
/** A pool began (`isShort`) or ceased to be unable to give guests what they need, bytes. */
export const PoolShort = event<{
  readonly pool: string;
  readonly isShort: boolean;
  readonly free: bigint;
  readonly wanted: bigint;
}>('pool.short', ({ pool, isShort, free, wanted }) => ({
  subject: pool,
  message: isShort
    ? `can't give guests the room they need: ${formatSize(wanted)} are wanted, ${formatSize(free)} are free`
    : 'has room for its guests again',
  values: { isShort, free, wanted },
}));
export const DiskResized = event<{ readonly disk: Disk; readonly from: bigint }>('disk.resized', ({ disk, from }) => ({
  subject: nameOf(disk),
  message: `shows its guest ${formatSize(disk.virtualSize)}, before ${formatSize(from)}`,
  values: { id: disk.id, from, to: disk.virtualSize },
}));
export const DiskAttached = event<{ readonly attachment: Attachment }>('disk.attached', ({ attachment }) => ({
  subject: `${attachment.pool}/${attachment.disk}`,
  message: `was attached to ${attachment.vmName} as ${attachment.target}${attachment.readOnly ? ', to read only' : ''}`,
  values: { vm: attachment.vm, vmName: attachment.vmName, target: attachment.target, readOnly: attachment.readOnly },
}));
export const DiskDetached = event<{
  readonly pool: string;
  readonly disk: string;
  readonly vm: string;
  readonly target: string;
}>('disk.detached', ({ pool, disk, vm, target }) => ({
  subject: `${pool}/${disk}`,
  message: `was detached from VM ${vm}`,
  values: { vm, target },
}));

/** A call to core or to a plugin's verb has ended, well or badly. */
export const OperationFinished = event<{
  /** `disk.create`, … */
  readonly operation: string;
  readonly subject: string;
  readonly result: 'ok' | string;
  readonly milliseconds: number;
  readonly requestId: string;
  readonly caller: string;
}>('operation.finished');
/** A process that run.ts started has ended. */
export const CommandFinished = event<{
  /** The program's name and its first word: `lvm lvcreate`, `virsh domstats`, `qemu-img create`. */
  readonly command: string;
  readonly code: number | undefined;
  readonly milliseconds: number;
}>('command.finished');
