// Write thresholds: armed, seen, crossed and told.
import assert from 'node:assert/strict';
import type { BlockStatistics, HypervisorEvent } from '../../capabilities/hypervisor.ts';
import { type Check, never, rejects } from '../case.ts';
import type { HypervisorUnderTest } from '../hypervisor.ts';
import { listen, NOBODY, newDisk } from './steps.ts';

export const thresholdChecks: Readonly<Record<string, Check<HypervisorUnderTest>>> = {
  async 'what is armed is what statistics tell, for each disk'(made) {
    const { hypervisor, vm } = made;
    const disks = [await attached(made), await attached(made)];
    assert.deepEqual(await armedAt(made, disks), [undefined, undefined]);
    const thresholds = disks.map(({ target, size }, n) => ({ target, offset: size + BigInt(n) }));
    await hypervisor.arm(vm.uuid, thresholds, never);
    assert.deepEqual(
      await armedAt(made, disks),
      thresholds.map(({ offset }) => offset),
    );
    await hypervisor.arm(vm.uuid, [], never);
    assert.deepEqual(
      await armedAt(made, disks),
      thresholds.map(({ offset }) => offset),
    );
  },

  async 'arming twice is arming once, at the later offset'(made) {
    const disk = await attached(made);
    for (const offset of [disk.size / 2n, disk.size / 4n]) await arm(made, disk, offset);
    assert.deepEqual(await armedAt(made, [disk]), [disk.size / 4n]);
    const far = 64n * disk.size;
    for (const _ of ['once', 'twice']) await arm(made, disk, far);
    assert.deepEqual(await armedAt(made, [disk]), [far]);
    const told = await toldWhile(made, () => made.fill(disk.target));
    assert.deepEqual(told, []);
    assert.deepEqual(await armedAt(made, [disk]), [far]);
  },

  async 'a guest that writes beyond a threshold is told of once, and armed no more'(made) {
    const disk = await attached(made);
    const threshold = disk.size / 2n;
    await arm(made, disk, threshold);
    const told = await toldWhile(made, async () => {
      await made.fill(disk.target);
      await made.fill(disk.target);
    });
    const [event] = told;
    const { target, path } = disk;
    const excess = event?.type === 'threshold' ? event.excess : 0n;
    assert.deepEqual(told, [{ type: 'threshold', vm: made.vm.uuid, target, path, threshold, excess }]);
    assert.ok(excess > 0n, 'it says by how much');
    assert.deepEqual(await armedAt(made, [disk]), [undefined]);
  },

  async 'a threshold that is passed already is told at the next write, once for each arming'(made) {
    const disk = await attached(made);
    await made.fill(disk.target);
    for (const part of [2n, 4n]) {
      await arm(made, disk, disk.size / part);
      const told = await toldWhile(made, () => made.fill(disk.target));
      assert.deepEqual(
        told.map((event) => event.type === 'threshold' && event.threshold),
        [disk.size / part],
      );
    }
  },

  async 'each disk has a threshold of its own'(made) {
    const [disk, other] = [await attached(made), await attached(made)];
    await arm(made, disk, disk.size / 2n);
    await arm(made, other, other.size / 2n);
    const told = await toldWhile(made, () => made.fill(other.target));
    assert.deepEqual(
      told.map((event) => event.type === 'threshold' && event.target),
      [other.target],
    );
    assert.deepEqual(await armedAt(made, [disk, other]), [disk.size / 2n, undefined]);
  },

  async 'statistics tell how far a disk is written'(made) {
    const disk = await attached(made);
    assert.equal((await seenOf(made, disk))?.allocation, 0n);
    await made.fill(disk.target);
    assert.ok(((await seenOf(made, disk))?.allocation ?? 0n) >= disk.size);
  },

  async 'a target that the VM does not have is refused, and the others are armed'(made) {
    const { hypervisor, vm } = made;
    const disk = await attached(made);
    const missing = { target: 'vdq', offset: disk.size };
    await rejects('refused', hypervisor.arm(vm.uuid, [missing, { target: disk.target, offset: disk.size }], never));
    assert.deepEqual(await armedAt(made, [disk]), [disk.size]);
    await rejects(
      'refused',
      hypervisor.arm(vm.uuid, [{ target: disk.target, offset: 2n * disk.size }, missing], never),
    );
    assert.deepEqual(await armedAt(made, [disk]), [2n * disk.size]);
  },

  async 'a VM that is off is refused a threshold'(made) {
    const { hypervisor, offVm } = made;
    const { target } = await hypervisor.attach(offVm.uuid, await newDisk(made), never);
    await rejects('refused', hypervisor.arm(offVm.uuid, [{ target, offset: 1n }], never));
  },

  async 'a VM that is not there is armed with nothing'({ hypervisor, vm }) {
    for (const nobody of [NOBODY, vm.name, '--all']) {
      await rejects('not-found', hypervisor.arm(nobody, [{ target: 'vda', offset: 1n }], never));
    }
  },

  async 'a signal that has fired arms nothing'(made) {
    const disk = await attached(made);
    const thresholds = [{ target: disk.target, offset: disk.size }];
    await rejects('cancelled', made.hypervisor.arm(made.vm.uuid, thresholds, AbortSignal.abort()));
    assert.deepEqual(await armedAt(made, [disk]), [undefined]);
  },
};

interface Attached {
  readonly target: string;
  readonly path: string;
  readonly size: bigint;
}

async function attached({ hypervisor, vm, source }: HypervisorUnderTest): Promise<Attached> {
  const { size, ...fresh } = await source();
  const { target } = await hypervisor.attach(vm.uuid, { ...fresh, readOnly: false }, never);
  return { target, path: fresh.path, size };
}

const arm = ({ hypervisor, vm }: HypervisorUnderTest, { target }: Attached, offset: bigint) =>
  hypervisor.arm(vm.uuid, [{ target, offset }], never);

async function seenOf({ hypervisor, vm }: HypervisorUnderTest, disk: Attached): Promise<BlockStatistics | undefined> {
  return (await hypervisor.statistics(never)).find((each) => each.vm === vm.uuid && each.target === disk.target);
}

async function armedAt(made: HypervisorUnderTest, disks: readonly Attached[]) {
  const seen = await made.hypervisor.statistics(never);
  return disks.map(({ target }) => seen.find((each) => each.vm === made.vm.uuid && each.target === target)?.threshold);
}

/** The `threshold` events of the work: a later event, of a pause, shows that no more are to come. */
async function toldWhile(made: HypervisorUnderTest, work: () => Promise<void>): Promise<readonly HypervisorEvent[]> {
  using events = listen(made);
  await events.until(({ type }) => type === 'connected');
  await work();
  await made.pause();
  const told: HypervisorEvent[] = [];
  await events.until((event) => {
    if (event.type === 'threshold') told.push(event);
    return event.type === 'vm' && event.vm === made.vm.uuid && event.change === 'paused';
  });
  await made.hypervisor.resume(made.vm.uuid, never);
  return told;
}
