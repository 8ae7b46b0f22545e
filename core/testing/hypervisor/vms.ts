// VMs, and what is said of them.
import assert from 'node:assert/strict';
import { type Check, never, rejects } from '../case.ts';
import type { HypervisorUnderTest } from '../hypervisor.ts';
import { diskOf, NOBODY, newDisk } from './steps.ts';

export const vmChecks: Readonly<Record<string, Check<HypervisorUnderTest>>> = {
  async 'all VMs are listed with uuid, name and state, running or not'({ hypervisor, vm, offVm }) {
    const vms = await hypervisor.vms(never);
    const stateOf = (uuid: string) => vms.filter((each) => each.uuid === uuid);
    assert.deepEqual(stateOf(vm.uuid), [{ uuid: vm.uuid, name: vm.name, state: 'running' }]);
    assert.deepEqual(stateOf(offVm.uuid), [{ uuid: offVm.uuid, name: offVm.name, state: 'off' }]);
  },

  async 'a VM is found by its uuid and by its name'({ hypervisor, vm, offVm }) {
    for (const [{ uuid, name }, state] of [
      [vm, 'running'],
      [offVm, 'off'],
    ] as const) {
      assert.deepEqual(await hypervisor.find(uuid, never), { uuid, name, state });
      assert.deepEqual(await hypervisor.find(name, never), { uuid, name, state });
    }
  },

  async 'nothing is found under what no VM is called'({ hypervisor, vm }) {
    // Numbers, flags and quotes are words like any other: whoever stands behind must not take them for something else.
    const words = [NOBODY, '', ' ', '0', '1', '--all', `it's "`, `${vm.name};`, 'a\nb'];
    for (const word of words) {
      assert.equal(await hypervisor.find(word, never), undefined, `found a VM called ${JSON.stringify(word)}`);
    }
  },

  async 'a VM that is not there has no disks, takes none and gives none'(made) {
    const { hypervisor } = made;
    const disk = await newDisk(made);
    for (const nobody of [NOBODY, made.vm.name, '--all']) {
      await rejects('not-found', hypervisor.disks(nobody, never));
      await rejects('not-found', hypervisor.attach(nobody, disk, never));
      await rejects('not-found', hypervisor.detach(nobody, 'vda', 0, never));
      await rejects('not-found', hypervisor.resize(nobody, 'vda', 1n, never));
    }
  },

  async 'statistics name each disk of a running VM by VM and target'(made) {
    const { hypervisor, vm } = made;
    const disk = await newDisk(made);
    const { target } = await hypervisor.attach(vm.uuid, disk, never);
    const seen = (await hypervisor.statistics(never)).filter((each) => each.vm === vm.uuid && each.target === target);
    assert.equal(seen.length, 1);
    assert.equal(seen[0]?.path, disk.path);
    assert.equal(seen[0]?.writtenBytes, 0n);
  },

  async 'statistics leave out a VM that is off'({ hypervisor, offVm }) {
    assert.deepEqual(
      (await hypervisor.statistics(never)).filter((each) => each.vm === offVm.uuid),
      [],
    );
  },

  async 'a resize changes what the guest sees, to the byte, and twice is once'(made) {
    const { hypervisor, vm } = made;
    const { path, format, source, size } = await made.source();
    const { target } = await hypervisor.attach(vm.uuid, { path, format, source, readOnly: false }, never);
    const capacity = async () =>
      (await hypervisor.statistics(never)).find((each) => each.vm === vm.uuid && each.target === target)?.capacity;
    assert.equal(await capacity(), size);
    const wanted = size + 512n;
    for (const _ of ['once', 'twice']) {
      await hypervisor.resize(vm.uuid, target, wanted, never);
      assert.equal(await capacity(), wanted);
    }
  },

  async 'a signal that has fired stops every call before it changes anything'(made) {
    const { hypervisor, vm } = made;
    const disk = await newDisk(made);
    const fired = AbortSignal.abort();
    await rejects('cancelled', hypervisor.vms(fired));
    await rejects('cancelled', hypervisor.find(vm.uuid, fired));
    await rejects('cancelled', hypervisor.disks(vm.uuid, fired));
    await rejects('cancelled', hypervisor.statistics(fired));
    await rejects('cancelled', hypervisor.attach(vm.uuid, disk, fired));
    assert.equal(await diskOf(made, vm.uuid, disk.path), undefined);
    const { target } = await hypervisor.attach(vm.uuid, disk, never);
    await rejects('cancelled', hypervisor.detach(vm.uuid, target, 0, fired));
    assert.deepEqual(await diskOf(made, vm.uuid, disk.path), {
      target,
      path: disk.path,
      format: disk.format,
      readOnly: false,
      live: true,
      persistent: true,
    });
  },
};
