// Hypervisor: the VMs of this host and the disks in them.
//
// You implement this over whatever runs guests here. A VM is known by its uuid; its name is for people. Three promises:
//
// 1. **Every call has a deadline.** A hung VM, monitor or management daemon costs an error of kind `unavailable` or
//    `timeout` within seconds, never a wait without end, and never delays calls about other VMs for ever.
// 2. **Believe the device, not the answer.** `attach` and `detach` look at what the VM has afterwards. A guest may keep a
//    device that it was asked to release: `detach` then says `pending`, and an event tells when it went.
// 3. **Only what was asked.** `resize` sets what the guest sees and is never used for anything else.
//
// Live and persistent: a change applies to the running VM, if it runs, and to its definition, so that it survives a
// power-off. Twice is once: attaching what is attached there, or detaching what is gone, succeeds.
// The conformance suite `hypervisorConformance` in 'sltv/testing' holds you to all of this.
import { many, one } from '../kernel/capability.ts';
import type { Format } from './storage.ts';

export type VmState = 'running' | 'paused' | 'off';

export interface Vm {
  readonly uuid: string;
  readonly name: string;
  readonly state: VmState;
}

export interface VmDisk {
  /** `vdb`: unique in the VM. */
  readonly target: string;
  /** The source's path as the VM's definition has it; undefined for an empty drive or a network disk. */
  readonly path: string | undefined;
  readonly format: string | undefined;
  readonly readOnly: boolean;
  /** In the running VM now. */
  readonly live: boolean;
  /** In the definition that the next start uses. */
  readonly persistent: boolean;
}

export interface NewVmDisk {
  readonly path: string;
  readonly format: Format;
  /** A block device or a regular file. */
  readonly source: 'block' | 'file';
  /** Where; undefined: the first free virtio target, chosen from what the VM really has, live and persistent. */
  readonly target?: string | undefined;
  readonly readOnly: boolean;
  /** What the guest reads as the device's serial, so that it can be told from others (at most 20 characters). */
  readonly serial?: string | undefined;
}

export interface BlockStatistics {
  readonly vm: string;
  readonly target: string;
  readonly path: string | undefined;
  /** Bytes: highest offset written since this QEMU started, the size of the source, what the guest sees. */
  readonly allocation: bigint | undefined;
  readonly physical: bigint | undefined;
  readonly capacity: bigint | undefined;
  readonly writtenBytes: bigint;
  /** Offset, bytes, whose crossing will be told as `threshold`; undefined while none is armed. */
  readonly threshold: bigint | undefined;
  /** Why its VM stands still: a disk's I/O failed, or somebody paused it; undefined while it runs. */
  readonly stopped: 'io-error' | 'other' | undefined;
}

/** Where a `threshold` event shall be told: once, when the guest writes beyond `offset` bytes of the disk's source. */
export interface Threshold {
  readonly target: string;
  readonly offset: bigint;
}

/** What has failed on a disk since its VM began to run. It stays said after the cause is gone. */
export interface DiskError {
  readonly target: string;
  readonly reason: 'no-space' | 'other';
}

export type HypervisorEvent =
  /** The stream is new: whatever happened before it was missed. */
  | { readonly type: 'connected' }
  | {
      readonly type: 'vm';
      readonly vm: string;
      readonly change: 'started' | 'stopped' | 'paused' | 'resumed' | 'defined' | 'undefined' | 'other';
      readonly detail: string;
    }
  | { readonly type: 'device-added' | 'device-removed'; readonly vm: string; readonly device: string }
  | {
      readonly type: 'threshold';
      readonly vm: string;
      readonly target: string;
      readonly path: string;
      readonly threshold: bigint;
      readonly excess: bigint;
    }
  | {
      readonly type: 'io-error';
      readonly vm: string;
      readonly target: string;
      readonly path: string;
      readonly reason: string;
    }
  | { readonly type: 'block-job'; readonly vm: string; readonly target: string; readonly status: string };

export interface Hypervisor {
  readonly kind: string;
  /** All VMs of this host, running or not. */
  vms(signal: AbortSignal): Promise<readonly Vm[]>;
  /** By uuid or by name. Undefined when there is none. */
  find(nameOrUuid: string, signal: AbortSignal): Promise<Vm | undefined>;
  /** All disks of a VM, live and persistent merged by target. Kinds: `not-found`. */
  disks(vm: string, signal: AbortSignal): Promise<readonly VmDisk[]>;
  /** Says why no disk can be at a target of this name, in a sentence's end; undefined when one can. Asked before any commit. */
  objectsToTarget?(target: string): string | undefined;
  /** Adds a disk and answers with what the VM has then. Kinds: `not-found`, `refused` when the target is taken. */
  attach(vm: string, disk: NewVmDisk, signal: AbortSignal): Promise<VmDisk>;
  /**
   * Takes a disk out, from the definition at once. `gone`: the running VM has it no more. `pending`: it was asked and has
   * not answered within `patience` milliseconds.
   */
  detach(vm: string, target: string, patience: number, signal: AbortSignal): Promise<'gone' | 'pending'>;
  /** Sets the size that the running guest sees, bytes. The caller vouches that it never shrinks. */
  resize(vm: string, target: string, size: bigint, signal: AbortSignal): Promise<void>;
  /** Of all running VMs, in one call that does not wait for a stuck one longer than its deadline. */
  statistics(signal: AbortSignal): Promise<readonly BlockStatistics[]>;
  /**
   * Has a `threshold` event told for each, in place of what was armed there. An offset that is already passed is told at the
   * next write beyond it. Kinds: `not-found`, `refused` when the VM is off or has no such target; the others are armed then.
   */
  arm(vm: string, thresholds: readonly Threshold[], signal: AbortSignal): Promise<void>;
  /** What has failed on the disks of a running VM. Kinds: `not-found`; a VM that is off has none. */
  errors(vm: string, signal: AbortSignal): Promise<readonly DiskError[]>;
  /** Lets a VM that stands still run on; one that runs stays so. Kinds: `not-found`, `refused` when it is off. */
  resume(vm: string, signal: AbortSignal): Promise<void>;
  /** Pulls a VM's plug, and returns when nothing of it runs here any more; one that is off stays so. Kinds: `not-found`. */
  destroy?(vm: string, signal: AbortSignal): Promise<void>;
  /** One stream for all VMs; it begins with `connected` and again after every interruption, until the signal fires. */
  events(signal: AbortSignal): AsyncIterable<HypervisorEvent>;
}

export const Hypervisor = one<Hypervisor>('hypervisor');

/** What a hypervisor's own hook says is happening to a VM, in its process and before it goes on. */
export interface VmTransition {
  readonly vm: { readonly uuid: string; readonly name: string };
  /** `starting`: activate or refuse. `stopped`: nothing of it runs here any more. */
  readonly step: 'starting' | 'stopped';
  /** Sources of the VM's disks as it is about to start; empty when it stopped. */
  readonly paths: readonly string[];
}

/**
 * A program that the hypervisor runs around a VM's life: `sltv hook NAME …`. It runs in a process of its own and must
 * call neither the hypervisor nor the daemon: both may be waiting for it.
 */
export interface Hook {
  /** The word after `sltv hook`. */
  readonly name: string;
  /** The file that `sltv init --hooks` writes for an executable at `executable`. */
  readonly script: (executable: string) => HookScript;
  /** Reads the call; undefined for moments that don't concern disks. */
  read(args: readonly string[], input: string): VmTransition | undefined;
}

export interface HookScript {
  readonly path: string;
  readonly text: string;
  /** What its writer has to do once before it is called, in a sentence with the command. */
  readonly remark: string;
}

export const Hooks = many<Hook>('hook');
