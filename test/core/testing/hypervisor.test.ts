import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Hypervisor, HypervisorEvent, VmDisk } from '../../../core/capabilities/hypervisor.ts';
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
    caughtBy: ['a VM that is not there'],
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

test.run();
