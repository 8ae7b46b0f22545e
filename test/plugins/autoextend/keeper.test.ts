import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HypervisorEvent } from '../../../core/capabilities/hypervisor.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { keepFree } from '../../../plugins/autoextend/keep-free.ts';
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
  await using guests = await makeGuests({ policy: keepFree({ percent: 10, step: '64M' }) });
  await guests.keeper.look();
  const commits = guests.house.pools.commits.length;
  const [event] = crossings(guests, 60n * MiB);
  assert.ok(event);
  if (event) await Promise.all([event, event, event].map((each) => guests.keeper.crossed(each)));
  assert.is(guests.house.pools.commits.length, commits + 1);
  assert.is(guests.size(), 128n * MiB);
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
  assert.is(guests.keeper.guarded()[0]?.held?.because, 'switched off');
});

test('a pool that runs short gives what is left, says so once, and again when that is over', async () => {
  await using guests = await makeGuests({ room: 128n * MiB });
  await guests.keeper.look();
  assert.is(guests.size(), 128n * MiB, 'what there is');
  await guests.keeper.look();
  const short = () => guests.daemon.told.filter(({ id }) => id === 'pool.short').map(({ what }) => what);
  assert.is(short().length, 1);
  assert.is(guests.said.filter((message) => message.startsWith('a pool is too full')).length, 1);
  assert.ok(guests.keeper.guarded()[0]?.held?.isForRoom);
  await guests.daemon.disks.keep({ name: 'img', settings: { 'autoextend.off': '1' } }, call());
  await guests.keeper.look();
  assert.is(short().length, 2, 'nobody waits any more');
});

test('a policy that fails is replaced by the default, and that is said once', async () => {
  await using guests = await makeGuests({
    policy: () => {
      throw new Error('broken');
    },
  });
  await guests.keeper.look();
  await guests.keeper.look();
  assert.is(guests.size(), 512n * MiB);
  assert.is(guests.said.filter((message) => message.startsWith('the policy is not followed')).length, 1);
});

test('with events switched off nothing is armed, and a look extends', async () => {
  await using guests = await makeGuests({ policy: keepFree({ percent: 10, step: '10%' }) });
  await guests.keeper.look();
  crossings(guests, 60n * MiB);
  await guests.keeper.look();
  assert.ok(guests.size() > 64n * MiB);
});

test('what would be done is told without doing it', async () => {
  await using guests = await makeGuests({ policy: keepFree({ percent: 10, step: '1G' }) });
  await guests.keeper.look();
  const [guarded] = guests.keeper.guarded();
  crossings(guests, 63n * MiB);
  assert.ok(guarded);
  if (guarded)
    assert.is(guests.keeper.plan({ ...guarded, fill: 63n * MiB, fullSize: undefined }).extendTo, GiB + 64n * MiB);
  assert.is(guests.size(), 64n * MiB);
});

test('a later daemon knows from the volume how far it is written', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  await writeOn(guests, 300n * MiB);
  powerOff(guests.vm);
  await guests.keeper.look();
  const { end } = await guests.daemon.disks.show({ name: 'img' }, call());
  assert.is(end, 300n * MiB);
});

test.run();
