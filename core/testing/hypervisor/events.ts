// The stream of events.
import assert from 'node:assert/strict';
import { type Check, never } from '../case.ts';
import type { HypervisorUnderTest } from '../hypervisor.ts';
import { listen, newDisk, PATIENCE } from './steps.ts';

export const eventChecks: Readonly<Record<string, Check<HypervisorUnderTest>>> = {
  async 'a stream of events begins with connected'(made) {
    using events = listen(made);
    assert.deepEqual(await events.next(), { value: { type: 'connected' }, done: false });
  },

  async 'whatever happens after connected is told, by the VM it happened to'(made) {
    const { hypervisor, vm } = made;
    using events = listen(made);
    await events.until(({ type }) => type === 'connected');
    const { target } = await hypervisor.attach(vm.uuid, await newDisk(made), never);
    const added = await events.until(({ type }) => type === 'device-added');
    await hypervisor.detach(vm.uuid, target, PATIENCE, never);
    const removed = await events.until(({ type }) => type === 'device-removed');
    assert.deepEqual(
      [added, removed].map((event) => 'vm' in event && event.vm),
      [vm.uuid, vm.uuid],
    );
    assert.equal('device' in added && added.device, 'device' in removed && removed.device);
  },

  async 'a VM that stops is told'(made) {
    using events = listen(made);
    await events.until(({ type }) => type === 'connected');
    await made.powerOff();
    await events.until((event) => event.type === 'vm' && event.vm === made.vm.uuid && event.change === 'stopped');
  },

  async 'each of two listeners is told everything, also one that comes later'(made) {
    using first = listen(made);
    await first.until(({ type }) => type === 'connected');
    using second = listen(made);
    assert.deepEqual(await second.next(), { value: { type: 'connected' }, done: false });
    await made.hypervisor.attach(made.vm.uuid, await newDisk(made), never);
    await Promise.all([first, second].map((each) => each.until(({ type }) => type === 'device-added')));
  },

  async 'a stream ends with its signal, and only that one'(made) {
    using first = listen(made);
    using second = listen(made);
    await Promise.all([first, second].map((each) => each.until(({ type }) => type === 'connected')));
    const end = first.next();
    first.stop();
    // What it was told before may come first.
    for (let step = await end; !step.done; ) step = await first.next();
    await made.powerOff();
    await second.until((event) => event.type === 'vm' && event.vm === made.vm.uuid && event.change === 'stopped');
  },

  async 'a signal that has fired ends the stream before it begins'({ hypervisor }) {
    for await (const event of hypervisor.events(AbortSignal.abort())) assert.fail(`it told of ${event.type}`);
  },
};
