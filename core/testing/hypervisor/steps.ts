// What several checks of the suite do.
import assert from 'node:assert/strict';
import type { HypervisorEvent, NewVmDisk, VmDisk } from '../../capabilities/hypervisor.ts';
import { never } from '../case.ts';
import type { HypervisorUnderTest } from '../hypervisor.ts';

/** A uuid that no VM has. */
export const NOBODY = '00000000-0000-4000-8000-00000000dead';

/** Milliseconds that a guest that answers may take. */
export const PATIENCE = 20_000;

/** A fresh disk for a VM. */
export async function newDisk(made: HypervisorUnderTest, more: Partial<NewVmDisk> = {}): Promise<NewVmDisk> {
  const { path, format, source } = await made.source();
  return { path, format, source, readOnly: false, ...more };
}

/** The VM's disk of this path, or undefined. */
export async function diskOf(made: HypervisorUnderTest, vm: string, path: string): Promise<VmDisk | undefined> {
  const disks = (await made.hypervisor.disks(vm, never)).filter((disk) => disk.path === path);
  assert.ok(disks.length <= 1, `the VM has ${path} ${disks.length} times`);
  return disks[0];
}

/** Listens to the events until disposed of. */
export function listen(made: HypervisorUnderTest): Listener {
  const stop = new AbortController();
  const events = made.hypervisor.events(stop.signal)[Symbol.asyncIterator]();
  return {
    async until(wanted) {
      for (;;) {
        const { value, done } = await events.next();
        if (done) assert.fail('the stream of events ended, and its signal had not fired');
        if (wanted(value)) return value;
      }
    },
    next: () => events.next(),
    stop: () => stop.abort(),
    [Symbol.dispose]: () => stop.abort(),
  };
}

export interface Listener extends Disposable {
  /** The next event that is wanted; those before it are dropped. */
  until(wanted: (event: HypervisorEvent) => boolean): Promise<HypervisorEvent>;
  next(): Promise<IteratorResult<HypervisorEvent>>;
  stop(): void;
}
