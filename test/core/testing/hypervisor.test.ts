import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BlockStatistics, Hypervisor, HypervisorEvent, VmDisk } from '../../../core/capabilities/hypervisor.ts';
import { type HypervisorUnderTest, hypervisorConformance } from '../../../core/testing/index.ts';
import { makeMemoryHypervisor } from '../../fixtures/memory-hypervisor-subject.ts';
import { factOf, failures } from '../../fixtures/mutants.ts';

const never = new AbortController().signal;
type Spoil = (hypervisor: Hypervisor, made: HypervisorUnderTest) => Partial<Hypervisor>;
const suiteOf = (spoil: Spoil) =>
  hypervisorConformance({
    name: 'spoilt',
    patience: 100,
    async make() {
      const made = makeMemoryHypervisor();
      return { ...made, hypervisor: { ...made.hypervisor, ...spoil(made.hypervisor, made) } };
    },
  });

/** What each mutant does wrong, and the facts that must not hold of it. */
const MUTANTS: readonly { wrong: string; spoil: Spoil; caughtBy: readonly string[] }[] = [
  {
    wrong: 'VMs that are off are not listed',
    spoil: (all) => ({ vms: async (signal) => (await all.vms(signal)).filter(({ state }) => state !== 'off') }),
    caughtBy: ['all VMs are listed'],
  },
  {
    wrong: 'VMs are found by name only',
    spoil: (all) => ({ find: async (word, signal) => (/-/.test(word) ? undefined : all.find(word, signal)) }),
    caughtBy: ['a VM is found'],
  },
  {
    wrong: 'a number is taken for a VM',
    spoil: (all, { vm }) => ({ find: (word, signal) => all.find(word === '1' ? vm.uuid : word, signal) }),
    caughtBy: ['nothing is found'],
  },
  {
    wrong: 'who is not there has no disks, and that is all right',
    spoil: (all) => ({ disks: (vm, signal) => all.disks(vm, signal).catch(() => []) }),
    caughtBy: ['a VM that is not there has no disks'],
  },
  {
    wrong: 'statistics by path only',
    spoil: (all) => ({
      statistics: async (signal) => (await all.statistics(signal)).map((each) => ({ ...each, target: '' })),
    }),
    caughtBy: ['statistics name each disk'],
  },
  {
    wrong: 'statistics of VMs that are off',
    spoil: (all, { offVm }) => ({
      statistics: async (signal) => [
        ...(await all.statistics(signal)),
        { ...NOTHING_WRITTEN, vm: offVm.uuid, target: 'vda', path: undefined },
      ],
    }),
    caughtBy: ['statistics leave out'],
  },
  {
    wrong: 'sizes are rounded',
    spoil: (all) => ({
      resize: (vm, target, size, signal) => all.resize(vm, target, (size / 2n ** 20n) * 2n ** 20n, signal),
    }),
    caughtBy: ['a resize changes'],
  },
  {
    wrong: 'signals are ignored',
    spoil: (all) => ({ attach: (vm, disk) => all.attach(vm, disk, never) }),
    caughtBy: ['a signal that has fired stops'],
  },
  {
    wrong: 'only the running VM has it',
    spoil: seenAs((disk) => ({ ...disk, persistent: false })),
    caughtBy: ['a running VM has', 'a VM that is off has'],
  },
  {
    wrong: 'everything may be written',
    spoil: seenAs((disk) => ({ ...disk, readOnly: false })),
    caughtBy: ['a disk that is attached read-only'],
  },
  {
    wrong: 'wishes are not heard',
    spoil: (all) => ({ attach: (vm, disk, signal) => all.attach(vm, { ...disk, target: undefined }, signal) }),
    caughtBy: ['a disk is attached where', 'a target that is taken', 'a disk that the VM has at one target'],
  },
  {
    wrong: 'the last target first',
    spoil: (all) => ({ attach: (vm, disk, signal) => all.attach(vm, { target: 'vdz', ...disk }, signal) }),
    caughtBy: ['without a wish'],
  },
  {
    wrong: 'a target is chosen, and taken later',
    spoil: (all) => ({
      async attach(vm, disk, signal) {
        const taken = (await all.disks(vm, signal)).length;
        const free = `vd${'abcdef'[taken]}`;
        await new Promise((resolve) => setImmediate(resolve));
        return all.attach(vm, { ...disk, target: disk.target ?? free }, signal);
      },
    }),
    caughtBy: ['two disks that are attached at once'],
  },
  {
    wrong: 'attaching twice is an error',
    spoil: (all) => ({
      async attach(vm, disk, signal) {
        if ((await all.disks(vm, signal)).some(({ path }) => path === disk.path)) throw new Error('it is there');
        return all.attach(vm, disk, signal);
      },
    }),
    caughtBy: ['attaching twice'],
  },
  {
    wrong: 'what was attached is forgotten at power-off',
    spoil: (all, { vm }) => ({
      disks: async (uuid, signal) =>
        (await all.find(vm.uuid, signal))?.state === 'off' ? [] : all.disks(uuid, signal),
    }),
    caughtBy: ['a disk that was attached is there'],
  },
  {
    wrong: 'detaching does nothing, and says it did',
    spoil: () => ({ detach: async () => 'gone' }),
    caughtBy: [
      'a guest that answers',
      'a VM that is off gives',
      'a guest that does not answer',
      'when a guest lets go',
      'a pending detach is over',
      'whatever happens after connected',
    ],
  },
  {
    wrong: 'detaching what is gone is an error',
    spoil: (all) => ({
      async detach(vm, target, patience, signal) {
        if (!(await all.disks(vm, signal)).some((disk) => disk.target === target)) throw new Error('it is gone');
        return all.detach(vm, target, patience, signal);
      },
    }),
    caughtBy: ['detaching twice', 'a target that never was'],
  },
  {
    wrong: 'all disks are detached',
    spoil: (all) => ({
      async detach(vm, _target, patience, signal) {
        for (const { target } of await all.disks(vm, signal)) await all.detach(vm, target, patience, signal);
        return 'gone';
      },
    }),
    caughtBy: ['only the disk at the target'],
  },
  {
    wrong: 'streams begin without a word',
    spoil: changedEvents((event) => (event.type === 'connected' ? undefined : event)),
    caughtBy: ['a stream of events begins', 'each of two listeners'],
  },
  {
    wrong: 'nobody hears that a VM stopped',
    spoil: changedEvents((event) => (event.type === 'vm' ? undefined : event)),
    caughtBy: ['a VM that stops', 'a stream ends with its signal'],
  },
  {
    wrong: 'a stream goes on after its signal',
    spoil: (all) => ({ events: () => all.events(never) }),
    caughtBy: ['a stream ends with its signal', 'a signal that has fired ends the stream'],
  },
  {
    wrong: 'what was armed first stays',
    spoil: (all) => ({
      async arm(vm, thresholds, signal) {
        const seen = await all.statistics(signal);
        const isFresh = (target: string) =>
          !seen.some((each) => each.vm === vm && each.target === target && each.threshold !== undefined);
        const fresh = thresholds.filter(({ target }) => isFresh(target));
        return all.arm(vm, fresh, signal);
      },
    }),
    caughtBy: ['arming twice'],
  },
  {
    wrong: 'statistics keep what is armed to themselves',
    spoil: changedStatistics((each) => ({ ...each, threshold: undefined })),
    caughtBy: ['what is armed is what statistics tell', 'a target that the VM does not have'],
  },
  {
    wrong: 'only the first is armed',
    spoil: (all) => ({ arm: (vm, thresholds, signal) => all.arm(vm, thresholds.slice(0, 1), signal) }),
    caughtBy: ['what is armed is what statistics tell', 'a target that the VM does not have'],
  },
  {
    wrong: 'a missing target is all right',
    spoil: (all) => ({ arm: (vm, thresholds, signal) => all.arm(vm, thresholds, signal).catch(() => {}) }),
    caughtBy: ['a target that the VM does not have', 'a VM that is off is refused', 'a VM that is not there is armed'],
  },
  {
    wrong: 'thresholds are told twice',
    spoil: (all) => ({
      async *events(signal) {
        for await (const event of all.events(signal)) yield* event.type === 'threshold' ? [event, event] : [event];
      },
    }),
    caughtBy: ['a guest that writes beyond', 'a threshold that is passed already', 'each disk has'],
  },
  {
    wrong: 'thresholds are told of another disk',
    spoil: changedEvents((event) => (event.type === 'threshold' ? { ...event, target: 'vdz' } : event)),
    caughtBy: ['a guest that writes beyond', 'each disk has'],
  },
  {
    wrong: 'no threshold is told',
    spoil: changedEvents((event) => (event.type === 'threshold' ? undefined : event)),
    caughtBy: ['a guest that writes beyond', 'a threshold that is passed already', 'each disk has'],
  },
  {
    wrong: 'a threshold that is passed is not armed',
    spoil: (all) => ({
      async arm(vm, thresholds, signal) {
        const seen = await all.statistics(signal);
        const writtenAt = (target: string) =>
          seen.find((each) => each.vm === vm && each.target === target)?.allocation ?? 0n;
        return all.arm(
          vm,
          thresholds.filter(({ target, offset }) => offset > writtenAt(target)),
          signal,
        );
      },
    }),
    caughtBy: ['a threshold that is passed already'],
  },
  {
    wrong: 'thresholds are told while nobody writes',
    spoil: (all, { vm }) => ({
      async *events(signal) {
        for await (const event of all.events(signal)) {
          yield event;
          if (event.type !== 'connected') continue;
          yield { type: 'threshold', vm: vm.uuid, target: 'vda', path: '', threshold: 1n, excess: 1n };
        }
      },
    }),
    caughtBy: ['arming twice', 'a guest that writes beyond'],
  },
  {
    wrong: 'how far a disk is written is not told',
    spoil: changedStatistics((each) => ({ ...each, allocation: 0n })),
    caughtBy: ['statistics tell how far'],
  },
  {
    wrong: 'signals are ignored by what arms and resumes',
    spoil: (all) => ({
      arm: (vm, thresholds) => all.arm(vm, thresholds, never),
      errors: (vm) => all.errors(vm, never),
      resume: (vm) => all.resume(vm, never),
    }),
    caughtBy: ['a signal that has fired arms', 'a signal that has fired resumes'],
  },
  {
    wrong: 'destroying does nothing, and says it did',
    spoil: () => ({ destroy: async () => {} }),
    caughtBy: ['a VM that was destroyed', 'a VM that is not there is not destroyed'],
  },
  {
    wrong: 'destroying ignores its signal',
    spoil: (all) => ({ destroy: async (vm) => await all.destroy?.(vm, never) }),
    caughtBy: ['a signal that has fired destroys'],
  },
  {
    wrong: 'resuming what runs is an error',
    spoil: (all) => ({
      async resume(vm, signal) {
        if ((await all.find(vm, signal))?.state === 'running') throw new Error('it runs');
        return all.resume(vm, signal);
      },
    }),
    caughtBy: ['a VM that was paused', 'a VM that runs is resumed'],
  },
  {
    wrong: 'resuming does nothing, and says it did',
    spoil: () => ({ resume: async () => {} }),
    caughtBy: ['a VM that was paused', 'a VM that is off is not resumed', 'a VM that is not there is not resumed'],
  },
  {
    wrong: 'why a VM stands still is not told',
    spoil: changedStatistics((each) => ({ ...each, stopped: undefined })),
    caughtBy: ['a VM that was paused', 'a guest whose disk has no room'],
  },
  {
    wrong: 'somebody is said to have paused it, in every case',
    spoil: changedStatistics((each) => ({ ...each, stopped: each.stopped && 'other' })),
    caughtBy: ['a guest whose disk has no room'],
  },
  {
    wrong: 'errors are forgotten at a resume',
    spoil(all) {
      let isForgotten = false;
      return {
        errors: async (vm, signal) => (isForgotten ? [] : all.errors(vm, signal)),
        async resume(vm, signal) {
          await all.resume(vm, signal);
          isForgotten = true;
        },
      };
    },
    caughtBy: ['a guest whose disk has no room'],
  },
  {
    wrong: 'an I/O error is told by the device',
    spoil: changedEvents((event) => (event.type === 'io-error' ? { ...event, target: 'virtio-disk0' } : event)),
    caughtBy: ['a guest whose disk has no room'],
  },
  {
    wrong: 'a healthy VM has errors',
    spoil: () => ({ errors: async () => [{ target: 'vda', reason: 'other' }] }),
    caughtBy: ['where nothing failed', 'a VM that is not there is not resumed'],
  },
  {
    wrong: 'a VM that is off is an error when asked for errors',
    spoil: (all) => ({
      async errors(vm, signal) {
        if ((await all.find(vm, signal))?.state === 'off') throw new Error('it is off');
        return all.errors(vm, signal);
      },
    }),
    caughtBy: ['where nothing failed'],
  },
];

const NOTHING_WRITTEN = {
  allocation: 0n,
  physical: 0n,
  capacity: 0n,
  writtenBytes: 0n,
  threshold: undefined,
  stopped: undefined,
};

for (const { wrong, spoil, caughtBy } of MUTANTS) {
  test(`the hypervisors' suite catches: ${wrong}`, async () => {
    const cases = suiteOf(spoil).filter(({ title }) => caughtBy.some((fact) => factOf(title).startsWith(fact)));
    assert.is(cases.length, caughtBy.length, 'each fact is one of the suite');
    assert.is((await failures(cases)).length, caughtBy.length);
  });
}

test('every case of the hypervisors’ suite fails for some mutant', () => {
  const unproven = suiteOf(() => ({}))
    .map(({ title }) => factOf(title))
    .filter((fact) => !MUTANTS.some(({ caughtBy }) => caughtBy.some((known) => fact.startsWith(known))));
  assert.equal(unproven, []);
});

function seenAs(change: (disk: VmDisk) => VmDisk): Spoil {
  return (all) => ({
    disks: async (vm, signal) => (await all.disks(vm, signal)).map(change),
    attach: async (vm, disk, signal) => change(await all.attach(vm, disk, signal)),
  });
}

function changedEvents(change: (event: HypervisorEvent) => HypervisorEvent | undefined): Spoil {
  return (all) => ({
    async *events(signal) {
      for await (const event of all.events(signal)) {
        const changed = change(event);
        if (changed) yield changed;
      }
    },
  });
}

function changedStatistics(change: (each: BlockStatistics) => BlockStatistics): Spoil {
  return (all) => ({ statistics: async (signal) => (await all.statistics(signal)).map(change) });
}

test.run();
