// Disks: what core makes of pools and VMs. Core provides this one; the API and plugins such as autoextend use it.
import { event, gate, one } from '../kernel/capability.ts';
import type { Call } from '../kernel/verb.ts';

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
}

export const Disks = one<Disks>('disks');

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
export const DiskExtended = event<{ readonly disk: Disk; readonly from: bigint }>('disk.extended');
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
