// VMs whose plug is pulled, where a hypervisor can.
import assert from 'node:assert/strict';
import { type Check, never, rejects } from '../case.ts';
import type { HypervisorUnderTest } from '../hypervisor.ts';
import { NOBODY, newDisk } from './steps.ts';

export const destroyChecks: Readonly<Record<string, Check<HypervisorUnderTest>>> = {
  async 'a VM that was destroyed is off and has what its definition has, and twice is once'(made) {
    const { hypervisor, vm } = made;
    if (!hypervisor.destroy) return;
    const { target } = await hypervisor.attach(vm.uuid, await newDisk(made), never);
    for (const _ of ['once', 'twice']) {
      await hypervisor.destroy(vm.uuid, never);
      assert.equal((await hypervisor.find(vm.uuid, never))?.state, 'off');
    }
    const disk = (await hypervisor.disks(vm.uuid, never)).find((each) => each.target === target);
    assert.deepEqual([disk?.live, disk?.persistent], [false, true]);
  },

  async 'a VM that is not there is not destroyed, and no other in its place'({ hypervisor, vm }) {
    if (!hypervisor.destroy) return;
    for (const nobody of [NOBODY, vm.name, '--all']) await rejects('not-found', hypervisor.destroy(nobody, never));
    assert.equal((await hypervisor.find(vm.uuid, never))?.state, 'running');
  },

  async 'a signal that has fired destroys nothing'({ hypervisor, vm }) {
    if (!hypervisor.destroy) return;
    await rejects('cancelled', hypervisor.destroy(vm.uuid, AbortSignal.abort()));
    assert.equal((await hypervisor.find(vm.uuid, never))?.state, 'running');
  },
};
