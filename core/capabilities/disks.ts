// Disks: what core makes of pools and VMs. Core provides this one; the API and plugins such as autoextend use it.
import { event, gate, many, one } from '../kernel/capability.ts';
import type { Call, Fields } from '../kernel/verb.ts';
import { KiB, MiB } from '../units.ts';

export type Mode = 'thick' | 'thin';

/** The states of docs/on-disk-format.md. */
export type DiskState =
  | 'foreign'
  | 'creating'
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

/** Names are a bare disk name, or `pool/name`. VMs are named or given by uuid. Sizes are bytes. */
export interface Disks {
  create(request: CreateRequest, call: Call): Promise<Disk>;
  delete(request: { readonly name: string; readonly force: boolean }, call: Call): Promise<void>;
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
  /** Remembers how far a thin disk is written, bytes; never less than before. It is written with the volume's next commit. */
  noteEnd(disk: Pick<Disk, 'pool' | 'name'>, end: bigint): void;
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

export const DiskCreated = event<{ readonly disk: Disk }>('disk.created');
export const DiskDeleted = event<{ readonly pool: string; readonly disk: string; readonly id: string }>('disk.deleted');
/** `automatic`: for a guest that was about to fill it, by nobody's command. */
export const DiskExtended = event<{ readonly disk: Disk; readonly from: bigint; readonly automatic: boolean }>(
  'disk.extended',
);
/** A guest stands still because its disk is full. */
export const DiskPaused = event<{ readonly disk: Disk; readonly vm: string; readonly target: string }>('disk.paused');
/** And runs again. */
export const DiskResumed = event<{
  readonly disk: Disk;
  readonly vm: string;
  readonly target: string;
  readonly milliseconds: number;
}>('disk.resumed');
/** A pool began (`isShort`) or ceased to be unable to give guests what they need, bytes. */
export const PoolShort = event<{
  readonly pool: string;
  readonly isShort: boolean;
  readonly free: bigint;
  readonly wanted: bigint;
}>('pool.short');
export const DiskResized = event<{ readonly disk: Disk; readonly from: bigint }>('disk.resized');
export const DiskAttached = event<{ readonly attachment: Attachment }>('disk.attached');
export const DiskDetached = event<{
  readonly pool: string;
  readonly disk: string;
  readonly vm: string;
  readonly target: string;
}>('disk.detached');

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
