// Detaching, from guests that answer, guests that don't, and VMs that are off.
import assert from 'node:assert/strict';
import { type Check, never } from '../case.ts';
import type { HypervisorUnderTest } from '../hypervisor.ts';
import { diskOf, listen, newDisk, PATIENCE } from './steps.ts';

export const detachChecks: Readonly<Record<string, Check<HypervisorUnderTest>>> = {
  async 'a guest that answers has the disk no more, nor at its next start'(made) {
    const { hypervisor, vm } = made;
    const disk = await newDisk(made);
    const { target } = await hypervisor.attach(vm.uuid, disk, never);
    assert.equal(await hypervisor.detach(vm.uuid, target, PATIENCE, never), 'gone');
    assert.equal(await diskOf(made, vm.uuid, disk.path), undefined);
  },

  async 'a VM that is off gives its disk up at once'(made) {
    const { hypervisor, offVm } = made;
    const disk = await newDisk(made);
    const { target } = await hypervisor.attach(offVm.uuid, disk, never);
    assert.equal(await hypervisor.detach(offVm.uuid, target, 0, never), 'gone');
    assert.equal(await diskOf(made, offVm.uuid, disk.path), undefined);
  },

  async 'detaching twice is detaching once'(made) {
    const { hypervisor } = made;
    for (const { uuid } of [made.vm, made.offVm]) {
      const { target } = await hypervisor.attach(uuid, await newDisk(made), never);
      assert.equal(await hypervisor.detach(uuid, target, PATIENCE, never), 'gone');
      assert.equal(await hypervisor.detach(uuid, target, PATIENCE, never), 'gone');
    }
  },

  async 'a target that never was is gone'(made) {
    for (const { uuid } of [made.vm, made.offVm]) {
      assert.equal(await made.hypervisor.detach(uuid, 'vdq', PATIENCE, never), 'gone');
    }
  },

  async 'only the disk at the target goes'(made) {
    const { hypervisor, vm } = made;
    const kept = await hypervisor.attach(vm.uuid, await newDisk(made), never);
    const { target } = await hypervisor.attach(vm.uuid, await newDisk(made), never);
    assert.equal(await hypervisor.detach(vm.uuid, target, PATIENCE, never), 'gone');
    assert.deepEqual(await diskOf(made, vm.uuid, kept.path ?? ''), kept);
  },

  async 'a guest that does not answer keeps the disk: pending, and gone from the definition'(made) {
    const { hypervisor, vm } = made;
    const disk = await newDisk(made);
    const answer = await hypervisor.attach(vm.uuid, disk, never);
    await using _deaf = await made.deafen();
    for (const _ of ['once', 'twice']) {
      assert.equal(await hypervisor.detach(vm.uuid, answer.target, 0, never), 'pending');
      assert.deepEqual(await diskOf(made, vm.uuid, disk.path), { ...answer, persistent: false });
    }
  },

  async 'when a guest lets go at last an event says so, and the disk is gone'(made) {
    const { hypervisor, vm } = made;
    const disk = await newDisk(made);
    const { target } = await hypervisor.attach(vm.uuid, disk, never);
    using events = listen(made);
    await events.until(({ type }) => type === 'connected');
    {
      await using _deaf = await made.deafen();
      assert.equal(await hypervisor.detach(vm.uuid, target, 0, never), 'pending');
    }
    // Asked once more: a guest may have missed what it could not hear.
    assert.equal(await hypervisor.detach(vm.uuid, target, PATIENCE, never), 'gone');
    await events.until((event) => event.type === 'device-removed' && event.vm === vm.uuid);
    assert.equal(await diskOf(made, vm.uuid, disk.path), undefined);
  },

  async 'a pending detach is over when the VM is off'(made) {
    const { hypervisor, vm } = made;
    const disk = await newDisk(made);
    const { target } = await hypervisor.attach(vm.uuid, disk, never);
    await using _deaf = await made.deafen();
    assert.equal(await hypervisor.detach(vm.uuid, target, 0, never), 'pending');
    await made.powerOff();
    assert.equal(await hypervisor.detach(vm.uuid, target, 0, never), 'gone');
    assert.equal(await diskOf(made, vm.uuid, disk.path), undefined);
  },
};
