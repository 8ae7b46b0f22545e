// Attaching, to VMs that run and to VMs that don't.
import assert from 'node:assert/strict';
import { type Check, never, rejects } from '../case.ts';
import type { HypervisorUnderTest } from '../hypervisor.ts';
import { diskOf, newDisk } from './steps.ts';

export const attachChecks: Readonly<Record<string, Check<HypervisorUnderTest>>> = {
  async 'a running VM has an attached disk now and at its next start'(made) {
    const { hypervisor, vm } = made;
    const disk = await newDisk(made);
    const answer = await hypervisor.attach(vm.uuid, disk, never);
    const { path, format } = disk;
    assert.deepEqual(answer, { target: answer.target, path, format, readOnly: false, live: true, persistent: true });
    assert.deepEqual(await diskOf(made, vm.uuid, path), answer);
  },

  async 'a VM that is off has an attached disk at its next start'(made) {
    const { hypervisor, offVm } = made;
    const disk = await newDisk(made);
    const answer = await hypervisor.attach(offVm.uuid, disk, never);
    const { path, format } = disk;
    assert.deepEqual(answer, { target: answer.target, path, format, readOnly: false, live: false, persistent: true });
    assert.deepEqual(await diskOf(made, offVm.uuid, path), answer);
  },

  async 'a disk that is attached read-only is read-only'(made) {
    const disk = await newDisk(made, { readOnly: true });
    assert.equal((await made.hypervisor.attach(made.vm.uuid, disk, never)).readOnly, true);
    assert.equal((await diskOf(made, made.vm.uuid, disk.path))?.readOnly, true);
  },

  async 'a disk is attached where it is wanted'(made) {
    for (const { uuid } of [made.vm, made.offVm]) {
      const disk = await newDisk(made, { target: 'vdk', serial: 'suite-1' });
      assert.equal((await made.hypervisor.attach(uuid, disk, never)).target, 'vdk');
    }
  },

  async 'without a wish it goes to the first target that is free'(made) {
    for (const { uuid } of [made.vm, made.offVm]) {
      const taken = (await made.hypervisor.disks(uuid, never)).map((disk) => disk.target);
      const free = [...'abcdefgh'].map((letter) => `vd${letter}`).find((target) => !taken.includes(target));
      assert.equal((await made.hypervisor.attach(uuid, await newDisk(made), never)).target, free);
    }
  },

  async 'two disks that are attached at once get a target each'(made) {
    for (const { uuid } of [made.vm, made.offVm]) {
      const disks = [await newDisk(made), await newDisk(made)];
      const answers = await Promise.all(disks.map((disk) => made.hypervisor.attach(uuid, disk, never)));
      assert.notEqual(answers[0]?.target, answers[1]?.target);
      for (const [index, { path }] of disks.entries()) assert.deepEqual(await diskOf(made, uuid, path), answers[index]);
    }
  },

  async 'attaching twice is attaching once, with or without a target'(made) {
    for (const { uuid } of [made.vm, made.offVm]) {
      const disk = await newDisk(made);
      const answer = await made.hypervisor.attach(uuid, disk, never);
      assert.deepEqual(await made.hypervisor.attach(uuid, disk, never), answer);
      assert.deepEqual(await made.hypervisor.attach(uuid, { ...disk, target: answer.target }, never), answer);
      assert.deepEqual(await diskOf(made, uuid, disk.path), answer);
    }
  },

  async 'a target that is taken is refused, and nothing changes'(made) {
    for (const { uuid } of [made.vm, made.offVm]) {
      const { target } = await made.hypervisor.attach(uuid, await newDisk(made), never);
      const before = await made.hypervisor.disks(uuid, never);
      const error = await rejects('refused', made.hypervisor.attach(uuid, await newDisk(made, { target }), never));
      assert.ok(error.hint, 'a hint says which target is free');
      assert.deepEqual(await made.hypervisor.disks(uuid, never), before);
    }
  },

  async 'a disk that the VM has at one target is refused another'(made) {
    for (const { uuid } of [made.vm, made.offVm]) {
      const disk = await newDisk(made);
      await made.hypervisor.attach(uuid, disk, never);
      const before = await made.hypervisor.disks(uuid, never);
      await rejects('refused', made.hypervisor.attach(uuid, { ...disk, target: 'vdq' }, never));
      assert.deepEqual(await made.hypervisor.disks(uuid, never), before);
    }
  },

  async 'a disk that was attached is there when the VM is off'(made) {
    const disk = await newDisk(made);
    const answer = await made.hypervisor.attach(made.vm.uuid, disk, never);
    await made.powerOff();
    assert.deepEqual(await diskOf(made, made.vm.uuid, disk.path), { ...answer, live: false });
  },
};
