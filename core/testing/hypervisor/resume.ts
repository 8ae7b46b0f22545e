// VMs that stand still, and run on.
import assert from 'node:assert/strict';
import { type Check, never, rejects } from '../case.ts';
import type { HypervisorUnderTest } from '../hypervisor.ts';
import { listen, NOBODY, newDisk } from './steps.ts';

export const resumeChecks: Readonly<Record<string, Check<HypervisorUnderTest>>> = {
  async 'a VM that was paused runs on when it is resumed, and twice is once'(made) {
    const { hypervisor, vm } = made;
    await hypervisor.attach(vm.uuid, await newDisk(made), never);
    assert.equal(await stoppedBy(made), undefined);
    using events = listen(made);
    await events.until(({ type }) => type === 'connected');
    await made.pause();
    await events.until((event) => event.type === 'vm' && event.vm === vm.uuid && event.change === 'paused');
    assert.equal((await hypervisor.find(vm.uuid, never))?.state, 'paused');
    assert.equal(await stoppedBy(made), 'other');
    await hypervisor.resume(vm.uuid, never);
    await events.until((event) => event.type === 'vm' && event.vm === vm.uuid && event.change === 'resumed');
    await hypervisor.resume(vm.uuid, never);
    assert.equal((await hypervisor.find(vm.uuid, never))?.state, 'running');
    assert.equal(await stoppedBy(made), undefined);
  },

  async 'a guest whose disk has no room stands still and says why; with room it writes on, and sees no error'(made) {
    const { hypervisor, vm } = made;
    const { path, format, source, enlarge } = await made.tightSource();
    const { target } = await hypervisor.attach(vm.uuid, { path, format, source, readOnly: false }, never);
    using events = listen(made);
    await events.until(({ type }) => type === 'connected');
    const stands = () =>
      events.until((event) => event.type === 'vm' && event.vm === vm.uuid && event.change === 'paused');
    const filling = made.fill(target);
    const failure = await events.until(({ type }) => type === 'io-error');
    const reason = failure.type === 'io-error' ? failure.reason : '';
    assert.deepEqual(failure, { type: 'io-error', vm: vm.uuid, target, path, reason });
    await stands();
    assert.equal(await stoppedBy(made), 'io-error');
    assert.deepEqual(await hypervisor.errors(vm.uuid, never), [{ target, reason: 'no-space' }]);
    // Without room it is the same again.
    await hypervisor.resume(vm.uuid, never);
    await stands();
    await enlarge();
    await hypervisor.resume(vm.uuid, never);
    await filling;
    assert.equal(await stoppedBy(made), undefined);
    assert.deepEqual(await hypervisor.errors(vm.uuid, never), [{ target, reason: 'no-space' }]);
  },

  async 'a VM that runs is resumed without a change'({ hypervisor, vm }) {
    await hypervisor.resume(vm.uuid, never);
    assert.equal((await hypervisor.find(vm.uuid, never))?.state, 'running');
  },

  async 'a VM that is off is not resumed'({ hypervisor, offVm }) {
    await rejects('refused', hypervisor.resume(offVm.uuid, never));
    assert.equal((await hypervisor.find(offVm.uuid, never))?.state, 'off');
  },

  async 'where nothing failed, running or off, there are no errors'(made) {
    const { hypervisor, vm, offVm } = made;
    for (const { uuid } of [vm, offVm]) {
      await hypervisor.attach(uuid, await newDisk(made), never);
      assert.deepEqual(await hypervisor.errors(uuid, never), []);
    }
  },

  async 'a VM that is not there is not resumed, and has no errors to tell'({ hypervisor, vm }) {
    for (const nobody of [NOBODY, vm.name, '--all']) {
      await rejects('not-found', hypervisor.resume(nobody, never));
      await rejects('not-found', hypervisor.errors(nobody, never));
    }
  },

  async 'a signal that has fired resumes nothing'(made) {
    const { hypervisor, vm } = made;
    await made.pause();
    await rejects('cancelled', hypervisor.errors(vm.uuid, AbortSignal.abort()));
    await rejects('cancelled', hypervisor.resume(vm.uuid, AbortSignal.abort()));
    assert.equal((await hypervisor.find(vm.uuid, never))?.state, 'paused');
  },
};

/** Why the running VM's disks say that it stands still. */
async function stoppedBy({ hypervisor, vm }: HypervisorUnderTest) {
  const seen = (await hypervisor.statistics(never)).filter((each) => each.vm === vm.uuid);
  assert.ok(seen.length > 0, 'statistics tell of its disks');
  assert.ok(
    seen.every(({ stopped }) => stopped === seen[0]?.stopped),
    'all its disks say the same',
  );
  return seen[0]?.stopped;
}
