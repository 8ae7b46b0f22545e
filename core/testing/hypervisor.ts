// What a Hypervisor promises: core/capabilities/hypervisor.ts, as facts.
import type { Hypervisor, NewVmDisk, Vm } from '../capabilities/hypervisor.ts';
import { type Case, casesOf, type Subject } from './case.ts';
import { attachChecks } from './hypervisor/attach.ts';
import { destroyChecks } from './hypervisor/destroy.ts';
import { detachChecks } from './hypervisor/detach.ts';
import { eventChecks } from './hypervisor/events.ts';
import { resumeChecks } from './hypervisor/resume.ts';
import { thresholdChecks } from './hypervisor/thresholds.ts';
import { vmChecks } from './hypervisor/vms.ts';

/** Something that a VM can be given: nobody has it yet. */
export interface Source extends Pick<NewVmDisk, 'path' | 'format' | 'source'> {
  /** What a guest sees of it, bytes. It may be grown to twice that. */
  readonly size: bigint;
}

export interface TightSource extends Source {
  /** Gives it room for all of it. */
  enlarge(): Promise<void>;
}

export interface HypervisorUnderTest extends AsyncDisposable {
  readonly hypervisor: Hypervisor;
  /** A VM that runs, and whose guest lets go of disks when asked; the suite attaches up to three. */
  readonly vm: Pick<Vm, 'uuid' | 'name'>;
  /** A VM that is off. */
  readonly offVm: Pick<Vm, 'uuid' | 'name'>;
  source(): Promise<Source>;
  /** One that has less room than what a guest sees of it, until it is given enough. */
  tightSource(): Promise<TightSource>;
  /** Has the running VM's guest leave requests unanswered, until disposed of; it may answer them then. */
  deafen(): Promise<AsyncDisposable>;
  /**
   * Has the running VM's guest write all that it sees of the disk at this target. Returns when it has, which is after a
   * resume where it had to stand still; rejects when the guest saw an error, or reads something else afterwards.
   */
  fill(target: string): Promise<void>;
  /** Has the running VM stand still, as somebody's command does. */
  pause(): Promise<void>;
  /** Pulls the running VM's plug. */
  powerOff(): Promise<void>;
}

/** The cases that any provider of Hypervisor must pass. */
export function hypervisorConformance(subject: Subject<HypervisorUnderTest>): readonly Case[] {
  return casesOf(subject, {
    ...vmChecks,
    ...attachChecks,
    ...detachChecks,
    ...eventChecks,
    ...thresholdChecks,
    ...resumeChecks,
    ...destroyChecks,
  });
}
