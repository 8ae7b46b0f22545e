import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HypervisorEvent } from '../../../core/capabilities/hypervisor.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { keepFree } from '../../../plugins/autoextend/keep-free.ts';
import type { Policy } from '../../../plugins/autoextend/policy.ts';
import { call } from '../../core/disks/house.ts';
import { guestWrites, powerOff } from '../../fixtures/memory-hypervisor.ts';
import { type Guests, makeGuests } from './guests.ts';

/** What the guest's writing has the hypervisor tell. */
function crossings(guests: Guests, upTo: bigint) {
  const told: Extract<HypervisorEvent, { type: 'threshold' }>[] = [];
  const hear = (event: HypervisorEvent) => event.type === 'threshold' && told.push(event);
  guests.vm.told.on('event', hear);
  guestWrites(guests.vm, 'vda', upTo);
  guests.vm.told.off('event', hear);
  return told;
}

async function writeOn(guests: Guests, upTo: bigint): Promise<number> {
  const told = crossings(guests, upTo);
  await Promise.all(told.map((event) => guests.keeper.crossed(event)));
  return told.length;
}

const armed = ({ vm }: Guests) => vm.armed.get('vda');

test('a disk in a running VM is given its headroom and armed at the first look', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  assert.is(guests.size(), 512n * MiB);
  assert.is(armed(guests), 256n * MiB);
});

test('a guest that writes all of its disk never stands still, and what it sees stays as it is', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  // It is found out off the way of extensions.
  while (guests.keeper.guarded()[0]?.fullSize === undefined) await turnOfTheLoop();
  let events = 0;
  for (let upTo = 16n * MiB; upTo <= GiB; upTo += 16n * MiB) {
    guests.clock.now += 100;
    events += await writeOn(guests, upTo);
    assert.is(guests.vm.state, 'running');
  }
  assert.ok(events > 0);
  assert.is(guests.vm.capacity.get('vda'), undefined, 'nobody resized it');
  const { size, virtualSize } = await guests.daemon.disks.show({ name: 'img' }, call());
  assert.ok(size > GiB && size < GiB + 8n * MiB, 'no more than the whole image needs');
  assert.is(virtualSize, GiB);
});

test('crossings while an extension is under way lead to one look at the disk, not to an extension beside it', async () => {
  let [under, most] = [0, 0];
  await using guests = await makeGuests({
    policy: keepFree({ percent: 10, step: '64M' }),
    disks: {
      async grow(disk, wish, signal) {
        under += 1;
        most = Math.max(most, under);
        const grown = await guests.daemon.disks.grow(disk, wish, signal);
        under -= 1;
        return grown;
      },
    },
  });
  await guests.keeper.look();
  const commits = guests.house.pools.commits.length;
  const [event] = crossings(guests, 60n * MiB);
  assert.ok(event);
  if (event) await Promise.all([event, event, event].map((each) => guests.keeper.crossed(each)));
  assert.is(guests.house.pools.commits.length, commits + 1);
  assert.is(guests.size(), 128n * MiB);
  assert.is(most, 1);
});

test('an event of a disk that is another one now is looked into, not believed', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  const before = guests.size();
  const event = { type: 'threshold', vm: guests.vm.uuid, threshold: 1n, excess: 10n * GiB } as const;
  await guests.keeper.crossed({ ...event, target: 'vda', path: '/dev/other/one' });
  await guests.keeper.crossed({ ...event, target: 'vdz', path: '/dev/other/one' });
  assert.is(guests.size(), before);
});

test('a threshold that somebody lost is armed again at the next look, and one that is there is left alone', async () => {
  let calls = 0;
  await using guests = await makeGuests({
    hypervisor: {
      async arm(vm, thresholds, signal) {
        calls += 1;
        await guests.hypervisor.arm(vm, thresholds, signal);
      },
    },
  });
  await guests.keeper.look();
  await guests.keeper.look();
  const settled = calls;
  guests.vm.armed.clear();
  await guests.keeper.look();
  assert.is(armed(guests), 256n * MiB);
  assert.is(calls, settled + 1);
  await guests.keeper.look();
  assert.is(calls, settled + 1);
});

test('a crossing during a look is not undone by what the look had seen before it', async () => {
  let meanwhile = async () => {};
  await using guests = await makeGuests({
    hypervisor: {
      async statistics(signal) {
        const seen = await guests.hypervisor.statistics(signal);
        await meanwhile();
        return seen;
      },
    },
  });
  await guests.keeper.look();
  meanwhile = async () => {
    meanwhile = async () => {};
    await writeOn(guests, 300n * MiB);
  };
  await guests.keeper.look();
  const offset = armed(guests);
  assert.ok(offset !== undefined && offset > 300n * MiB, `armed at ${offset}`);
});

test('what was missed while nobody listened is made good at a look', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  crossings(guests, 400n * MiB);
  assert.is(armed(guests), undefined, 'told to nobody');
  await guests.keeper.look();
  assert.ok(guests.size() >= 656n * MiB);
  assert.ok((armed(guests) ?? 0n) > 400n * MiB);
});

test('how far a disk is written is not forgotten when its VM starts anew and counts from 0', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  await writeOn(guests, 300n * MiB);
  powerOff(guests.vm);
  await guests.keeper.look();
  assert.equal(guests.keeper.guarded(), []);
  guests.vm.state = 'running';
  guests.vm.disks = guests.vm.disks.map((disk) => ({ ...disk, live: true }));
  await guests.keeper.look();
  assert.is(guests.keeper.guarded()[0]?.fill, 300n * MiB);
  assert.ok((armed(guests) ?? 0n) > 300n * MiB);
});

test('a disk that is switched off is left alone', async () => {
  await using guests = await makeGuests();
  await guests.daemon.disks.keep({ name: 'img', settings: { 'autoextend.off': '1' } }, call());
  await guests.keeper.look();
  assert.is(guests.size(), 64n * MiB);
  assert.is(armed(guests), undefined);
  assert.is(guests.keeper.guarded()[0]?.held, 'switched off');
});

test('a pool that runs short gives what is left, says so once, and again when that is over', async () => {
  await using guests = await makeGuests({ room: 128n * MiB });
  await guests.keeper.look();
  assert.is(guests.size(), 128n * MiB, 'what there is');
  await guests.keeper.look();
  const short = () => guests.daemon.told.filter(({ id }) => id === 'pool.short').map(({ what }) => what);
  assert.is(short().length, 1);
  assert.is(guests.said.filter((message) => message.startsWith('a pool is too full')).length, 1);
  assert.is(guests.keeper.guarded()[0]?.held, 'pool mem is full');
  await guests.daemon.disks.keep({ name: 'img', settings: { 'autoextend.off': '1' } }, call());
  await guests.keeper.look();
  assert.is(short().length, 2, 'nobody waits any more');
});

test('a policy that fails is replaced by the default, and that is said once, whatever it fails with', async () => {
  let asked = 0;
  await using guests = await makeGuests({
    policy: () => {
      asked += 1;
      throw new Error(`broken ${asked} times`);
    },
  });
  await guests.keeper.look();
  await guests.keeper.look();
  assert.is(guests.size(), 512n * MiB);
  assert.is(guests.said.filter((message) => message.startsWith('the policy is not followed')).length, 1);
});

test('with events switched off nothing is armed, and a look extends', async () => {
  await using guests = await makeGuests({ arms: false, policy: keepFree({ percent: 10, step: '10%' }) });
  await guests.keeper.look();
  assert.is(armed(guests), undefined);
  crossings(guests, 60n * MiB);
  await guests.keeper.look();
  assert.ok(guests.size() > 64n * MiB);
  assert.is(armed(guests), undefined);
});

test('what would be done is told without doing it', async () => {
  await using guests = await makeGuests({ policy: keepFree({ percent: 10, step: '1G' }) });
  await guests.keeper.look();
  const [guarded] = guests.keeper.guarded();
  crossings(guests, 63n * MiB);
  assert.ok(guarded);
  if (guarded) {
    const unlimited = { bytes: undefined, virtual: GiB, fill: 0n };
    const to = (fullSize: typeof guarded.fullSize) =>
      guests.keeper.plan({ ...guarded, fill: 63n * MiB, fullSize }).extendTo;
    assert.is(to(unlimited), GiB + 64n * MiB);
    assert.is(to(undefined), GiB + 4n * MiB, 'an image without snapshots, until it is known to have some');
  }
  assert.is(guests.size(), 64n * MiB);
});

test('a later daemon knows from the volume how far it is written', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  // Below what is armed: no extension has taken it along.
  assert.is(await writeOn(guests, 200n * MiB), 0);
  await guests.keeper.look();
  powerOff(guests.vm);
  await guests.keeper.look();
  const { end } = await guests.daemon.disks.show({ name: 'img' }, call());
  assert.is(end, 200n * MiB);
});

test('an event of a disk that nobody looked at yet leads to a look, which takes it on', async () => {
  await using guests = await makeGuests();
  const { uuid } = guests.vm;
  await guests.keeper.crossed({
    type: 'threshold',
    vm: uuid,
    target: 'vda',
    path: '/dev/x',
    threshold: 1n,
    excess: 1n,
  });
  assert.is(guests.keeper.guarded().length, 1);
  assert.is(armed(guests), 256n * MiB);
});

test('an event under a path that is another one now leads to a look, which arms anew', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  const before = guests.size();
  guests.vm.armed.clear();
  const { uuid } = guests.vm;
  const event = { type: 'threshold', vm: uuid, target: 'vda', threshold: 1n, excess: 10n * GiB } as const;
  await guests.keeper.crossed({ ...event, path: '/dev/before/the-pivot' });
  assert.is(guests.size(), before);
  assert.is(armed(guests), 256n * MiB);
});

test('a threshold that is crossed before its arming is answered does not count as armed', async () => {
  let answer = async () => {};
  // As of one that is quicker at first: a disk that has only been looked at wants less free than one whose guest writes.
  const policy: Policy = ({ physical, fill }) =>
    fill < 48n * MiB ? { armAt: fill + 8n * MiB } : { extendTo: physical * 4n, armAt: physical * 3n };
  await using guests = await makeGuests({
    policy,
    hypervisor: {
      async arm(vm, thresholds, signal) {
        await guests.hypervisor.arm(vm, thresholds, signal);
        await answer();
      },
    },
  });
  let crossed = Promise.resolve(0);
  answer = async () => {
    answer = async () => {};
    crossed = writeOn(guests, (armed(guests) ?? 0n) + MiB);
  };
  await guests.keeper.look();
  assert.is(await crossed, 1);
  const fill = guests.keeper.guarded()[0]?.fill ?? 0n;
  assert.ok((armed(guests) ?? 0n) > fill, `armed at ${armed(guests)}, written up to ${fill}`);
});

test('an offset that is armed far too early is left alone: it is told, and nothing is to be done', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  guests.vm.armed.set('vda', 32n * MiB);
  await guests.keeper.look();
  assert.is(armed(guests), 32n * MiB);
  const before = guests.size();
  assert.is(await writeOn(guests, 33n * MiB), 1);
  assert.is(guests.size(), before);
  assert.is(armed(guests), 256n * MiB);
});

test('an offset that is armed too late is armed anew', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  guests.vm.armed.set('vda', 500n * MiB);
  await guests.keeper.look();
  assert.is(armed(guests), 256n * MiB);
});

test('an extension that took so long that more is wanted free is followed by another, and armed after it', async () => {
  // More is wanted free as soon as an extension was seen to take long.
  const policy: Policy = ({ physical, fill, extensionTime }) => {
    const free = (extensionTime > 1_000 ? 256n : 16n) * MiB;
    return fill + free < physical
      ? { armAt: physical - free }
      : { extendTo: fill + free + 64n * MiB, armAt: fill + MiB };
  };
  await using guests = await makeGuests({
    policy,
    disks: {
      async grow(disk, wish, signal) {
        guests.clock.now += 5_000;
        return await guests.daemon.disks.grow(disk, wish, signal);
      },
    },
  });
  await guests.keeper.look();
  await writeOn(guests, 50n * MiB);
  assert.is(guests.size(), 372n * MiB);
  assert.is(armed(guests), 116n * MiB);
});

test('a policy that always wants more gets no more at a time than a few extensions', async () => {
  const policy: Policy = ({ physical }) => ({ extendTo: physical + 4n * MiB, armAt: physical });
  await using guests = await makeGuests({ policy });
  await guests.keeper.look();
  assert.ok(guests.size() > 64n * MiB && guests.size() < 96n * MiB);
});

test('a pool that has room again serves who waited, and says so once', async () => {
  await using guests = await makeGuests({ room: 256n * MiB, policy: keepFree({ percent: 10, step: '64M' }) });
  await guests.daemon.disks.create({ name: 'filler', mode: 'thick', size: 160n * MiB }, call());
  await guests.keeper.look();
  await writeOn(guests, 63n * MiB);
  assert.is(guests.size(), 96n * MiB, 'what was left');
  const short = () => guests.daemon.told.filter(({ id }) => id === 'pool.short').length;
  await guests.keeper.look();
  assert.is(short(), 1, 'what it got will do for now, and the pool is as full as it was');
  assert.is(guests.keeper.guarded()[0]?.held, 'pool mem is full');
  await writeOn(guests, 95n * MiB);
  await guests.keeper.look();
  await guests.keeper.look();
  assert.is(short(), 1);
  await guests.daemon.disks.delete({ name: 'filler', force: false }, call());
  await guests.keeper.look();
  await guests.keeper.look();
  assert.is(guests.size(), 128n * MiB + 32n * MiB);
  assert.is(guests.keeper.guarded()[0]?.held, undefined);
  assert.is(short(), 2);
  assert.is(guests.said.filter((message) => message.startsWith('a pool has room')).length, 1);
});

test('what goes on being wrong with a disk is said once', async () => {
  await using guests = await makeGuests({
    hypervisor: { arm: () => Promise.reject(new Error('the monitor is gone')) },
  });
  await guests.keeper.look();
  await guests.keeper.look();
  assert.is(guests.keeper.guarded()[0]?.unarmed, 'the monitor is gone');
  assert.is(guests.said.filter((message) => message.startsWith('a threshold could not be armed')).length, 1);
});

test('a look that fails is tried again soon, and one that does not is not', async () => {
  let isDown = true;
  await using guests = await makeGuests({
    hypervisor: {
      async statistics(signal) {
        if (isDown) throw new Error('the monitor is gone');
        return await guests.hypervisor.statistics(signal);
      },
    },
  });
  await guests.keeper.look();
  assert.is(guests.tries.again, 1);
  isDown = false;
  await guests.keeper.look();
  assert.is(guests.tries.again, 1);
  assert.is(armed(guests), 256n * MiB);
});

test('an extension or an arming that fails is tried again soon; a pool that is full is not asked over and over', async () => {
  await using broken = await makeGuests({ disks: { grow: () => Promise.reject(new Error('lvextend has failed')) } });
  await broken.keeper.look();
  assert.is(broken.keeper.guarded()[0]?.held, 'lvextend has failed');
  assert.is(broken.tries.again, 1);

  await using deaf = await makeGuests({ hypervisor: { arm: () => Promise.reject(new Error('the monitor is gone')) } });
  await deaf.keeper.look();
  assert.is(deaf.tries.again, 1);

  await using full = await makeGuests({ room: 64n * MiB });
  await full.keeper.look();
  assert.is(full.keeper.guarded()[0]?.held, 'pool mem is full');
  assert.is(full.tries.again, 0);
});

test('how far a disk is written is not forgotten when a copy takes its place', async () => {
  const isCopied = { now: false };
  await using guests = await makeGuests({
    disks: {
      async list(request, call) {
        const [img] = await guests.daemon.disks.list(request, call);
        return img ? [isCopied.now ? { ...img, id: 'copy', name: 'copy', end: undefined } : img] : [];
      },
    },
  });
  await guests.keeper.look();
  // Not far enough for an extension, which would note it, too.
  guestWrites(guests.vm, 'vda', 100n * MiB);
  await guests.keeper.look();
  isCopied.now = true;
  await guests.keeper.look();
  assert.is(guests.keeper.guarded()[0]?.disk.name, 'copy');
  assert.is((await guests.daemon.disks.show({ name: 'img' }, call())).end, 100n * MiB);
});

test('a crossing does not wait for an arming that hangs', async () => {
  const { promise: hangs, resolve: end } = Promise.withResolvers<void>();
  await using guests = await makeGuests({ hypervisor: { arm: () => hangs } });
  await guests.keeper.look();
  const before = guests.size();
  const path = guests.keeper.guarded()[0]?.path ?? '';
  const event = { type: 'threshold', vm: guests.vm.uuid, target: 'vda', path, threshold: before, excess: 1n } as const;
  await guests.keeper.crossed(event);
  assert.ok(guests.size() > before);
  end();
});

test('a VM that does not answer its arming delays no other', async () => {
  const { promise: hangs, resolve: end } = Promise.withResolvers<void>();
  const { promise: isArmed, resolve: tell } = Promise.withResolvers<void>();
  await using guests = await makeGuests({
    hypervisor: {
      async statistics(signal) {
        const seen = await guests.hypervisor.statistics(signal);
        return seen.flatMap((device) => [{ ...device, vm: 'hung', target: 'vdb', path: '/dev/x' }, device]);
      },
      async arm(vm) {
        if (vm === 'hung') return await hangs;
        tell();
      },
    },
    disks: {
      async list(request, call) {
        const [img] = await guests.daemon.disks.list(request, call);
        return img ? [img, { ...img, id: 'other', path: '/dev/x' }] : [];
      },
    },
  });
  await guests.keeper.look();
  await isArmed;
  assert.is(guests.keeper.guarded().length, 2);
  end();
});

test('a disk at the limit of its image is neither extended nor armed, and when it is written on the limit is found out anew', async () => {
  const limits = [64n * MiB, undefined];
  let asked = 0;
  const policy: Policy = ({ physical, fill }) =>
    fill < physical - 8n * MiB
      ? { armAt: physical - 8n * MiB }
      : { extendTo: fill + 64n * MiB, armAt: fill + 32n * MiB };
  await using guests = await makeGuests({ policy, disks: { fullSize: async () => limits[asked++] } });
  const found = async (times: number) => {
    while (asked < times) await turnOfTheLoop();
    await guests.keeper.look();
  };
  await guests.keeper.look();
  await found(1);
  crossings(guests, 60n * MiB);
  guests.vm.armed.clear();
  await guests.keeper.look();
  assert.is(armed(guests), undefined);
  assert.is(guests.size(), 64n * MiB, 'though it is written up to 60 MiB');
  await found(2);
  assert.is(guests.size(), 124n * MiB, 'it has got snapshots, and no limit');
});

test('counting from 0 again while it runs, a hypervisor makes no disk less written', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  await writeOn(guests, 300n * MiB);
  const before = armed(guests);
  guests.vm.written.clear();
  await guests.keeper.look();
  assert.is(guests.keeper.guarded()[0]?.fill, 300n * MiB);
  assert.is(armed(guests), before);
});

test.run();
