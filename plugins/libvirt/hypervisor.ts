// Hypervisor over libvirt.
import { createQueue, type Hypervisor, type Log, type Queue, type Runner } from 'sltv';
import { arm } from './arm.ts';
import { attach } from './attach.ts';
import { askForDisk, awaitRelease } from './detach.ts';
import { createEvents } from './events.ts';
import { createLook, merged, mustBeUuid } from './look.ts';
import { createNames } from './names.ts';
import { destroy, diskErrors, resume } from './recovery.ts';
import { readStatistics } from './statistics.ts';
import { objectsToTarget } from './targets.ts';
import { createVirsh } from './virsh.ts';
import { findVm, listVms } from './vms.ts';
import type { Xml } from './xml.ts';

/** Milliseconds for one call each. */
export interface Deadlines {
  readonly read: number;
  readonly change: number;
  readonly statistics: number;
  readonly alone: number;
}

export interface Means {
  readonly run: Runner;
  readonly xml: Xml;
  readonly uri: string;
  readonly deadlines: Deadlines;
  /** A directory for files that live for a moment. */
  readonly scratch: string;
  readonly log: Log;
  /** Fires when the daemon stops. */
  readonly life: AbortSignal;
}

/** Starts nothing: libvirt is spoken to when it is asked for something. */
export function createHypervisor({ run, xml, uri, deadlines, scratch, log, life }: Means): Hypervisor {
  const virsh = createVirsh(run, uri);
  const look = createLook(virsh, xml);
  const names = createNames(virsh, deadlines.read);
  const reading = (signal: AbortSignal) => ({ signal, deadline: deadlines.read });
  // What a VM has stays as it is: a daemon that follows need not wait for it.
  const leaving = (signal: AbortSignal) => ({ signal, deadline: deadlines.change });
  const changing = (signal: AbortSignal) => ({ ...leaving(signal), changes: true });
  // One change of a VM's devices at a time: two that look for a free target at once would find the same.
  const queues = new Map<string, Queue>();
  const inTurn = <T>(vm: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const queue = queues.get(vm) ?? createQueue();
    queues.set(vm, queue);
    return queue.run({ signal }, work);
  };
  const targetOf = async (vm: string, alias: string, signal: AbortSignal) =>
    (await look(vm, reading(signal))).live.find((disk) => disk.alias === alias)?.target;

  return {
    kind: 'libvirt',
    vms: (signal) => listVms(virsh, names, reading(signal)),
    find: (nameOrUuid, signal) => findVm(virsh, names, nameOrUuid, reading(signal)),
    disks: async (vm, signal) => merged(await look(vm, reading(signal))),
    objectsToTarget,
    attach: (vm, disk, signal) => {
      const means = { virsh, look, xml, scratch, read: reading(signal), change: changing(signal) };
      return inTurn(vm, signal, () => attach(means, vm, disk));
    },
    async detach(vm, target, patience, signal) {
      const means = { virsh, look, read: reading(signal), change: changing(signal) };
      await inTurn(vm, signal, () => askForDisk(means, vm, target));
      return await awaitRelease(means, vm, target, patience);
    },
    async resize(vm, target, size, signal) {
      mustBeUuid(vm);
      await virsh([['blockresize', `--domain=${vm}`, `--path=${target}`, `--size=${size}B`]], changing(signal));
    },
    arm: (vm, thresholds, signal) => arm(virsh, vm, thresholds, leaving(signal)),
    errors: (vm, signal) => diskErrors(virsh, vm, reading(signal)),
    resume: (vm, signal) => resume(virsh, vm, leaving(signal)),
    destroy: (vm, signal) => destroy(virsh, vm, leaving(signal)),
    statistics: (signal) => readStatistics({ virsh, names, log, deadlines }, signal),
    events: createEvents({ run, uri, names, targetOf, log, life }),
  };
}
