import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DiskError } from '../../../core/capabilities/hypervisor.ts';
import { MiB } from '../../../core/units.ts';
import { call } from '../../core/disks/house.ts';
import { guestWrites, pause } from '../../fixtures/memory-hypervisor.ts';
import { type Guests, makeGuests } from './guests.ts';

const attend = async ({ keeper, rescue }: Guests) => {
  await keeper.look();
  await rescue();
};
const told = ({ daemon }: Guests, id: string) => daemon.events.filter((each) => each === id).length;
const complaints = ({ said }: Guests) =>
  said.filter((message) => message.startsWith('a guest stands still and is left'));

test('a guest that ran full while no daemon was there is given room, and runs on', async () => {
  await using guests = await makeGuests();
  guestWrites(guests.vm, 'vda', 70n * MiB);
  assert.is(guests.vm.state, 'paused');
  await attend(guests);
  assert.is(guests.vm.state, 'running');
  assert.ok(guests.size() > 70n * MiB);
  assert.equal([told(guests, 'disk.paused'), told(guests, 'disk.resumed')], [1, 1]);
});

test('a VM that somebody paused stays so', async () => {
  await using guests = await makeGuests();
  pause(guests.vm);
  await attend(guests);
  assert.is(guests.vm.state, 'paused');
  assert.is(told(guests, 'disk.paused'), 0);
});

const OTHERS: Readonly<Record<string, readonly DiskError[]>> = {
  'whose disk has failed for another reason': [{ target: 'vda', reason: 'other' }],
  'that has another full disk, which is none of ours': [
    { target: 'vda', reason: 'no-space' },
    { target: 'sdx', reason: 'no-space' },
  ],
  'none of whose disks has failed': [],
};
for (const [which, errors] of Object.entries(OTHERS)) {
  test(`a VM ${which} is left as it is, and that is said once`, async () => {
    await using guests = await makeGuests({ hypervisor: { errors: async () => errors } });
    guestWrites(guests.vm, 'vda', 70n * MiB);
    await attend(guests);
    await attend(guests);
    assert.is(guests.vm.state, 'paused');
    assert.is(complaints(guests).length, 1);
  });
}

test('a full pool keeps it waiting, and room makes it run by itself', async () => {
  await using guests = await makeGuests({ room: 128n * MiB });
  await guests.daemon.disks.create({ name: 'filler', mode: 'thick', size: 64n * MiB }, call());
  guestWrites(guests.vm, 'vda', 70n * MiB);
  await attend(guests);
  await attend(guests);
  assert.is(guests.vm.state, 'paused');
  assert.is(told(guests, 'disk.paused'), 1, 'told once');
  await guests.daemon.disks.delete({ name: 'filler', force: false }, call());
  await attend(guests);
  assert.is(guests.vm.state, 'running');
});

test('one that comes no further is let go three times, then left with one error, until its disk grows by another hand', async () => {
  let resumed = 0;
  await using guests = await makeGuests({
    hypervisor: {
      async resume() {
        resumed += 1;
      },
    },
  });
  guestWrites(guests.vm, 'vda', 70n * MiB);
  await attend(guests);
  const size = guests.size();
  await attend(guests);
  assert.ok(guests.size() > size, 'where room did not help, more may');
  for (let n = 0; n < 4; n++) await attend(guests);
  assert.is(resumed, 3);
  assert.is(complaints(guests).length, 1);
  await guests.daemon.disks.extend({ name: 'img', delta: 512n * MiB }, call());
  for (let n = 0; n < 5; n++) await attend(guests);
  assert.is(resumed, 6, 'three times again');
  assert.is(complaints(guests).length, 2);
  assert.equal([told(guests, 'disk.paused'), guests.vm.state], [1, 'paused']);
});

test('a guest that comes to stand still anew is told of anew, though no look saw it run in between', async () => {
  await using guests = await makeGuests();
  guestWrites(guests.vm, 'vda', 70n * MiB);
  await attend(guests);
  guestWrites(guests.vm, 'vda', guests.size() + MiB);
  await attend(guests);
  assert.is(guests.vm.state, 'running');
  assert.equal([told(guests, 'disk.paused'), told(guests, 'disk.resumed')], [2, 2]);
});

test('a guest that others let go is over its standstill, and the next one is told', async () => {
  await using guests = await makeGuests();
  await guests.daemon.disks.keep({ name: 'img', settings: { 'autoextend.off': '1' } }, call());
  guestWrites(guests.vm, 'vda', 70n * MiB);
  await attend(guests);
  await guests.daemon.disks.extend({ name: 'img', delta: 64n * MiB }, call());
  await guests.hypervisor.resume(guests.vm.uuid, call().signal);
  await attend(guests);
  guestWrites(guests.vm, 'vda', 130n * MiB);
  await attend(guests);
  assert.equal([told(guests, 'disk.paused'), told(guests, 'disk.resumed')], [2, 0]);
});

test('a look that saw a guest before it was let go does not have it rescued again', async () => {
  let pass = Promise.resolve();
  await using guests = await makeGuests({
    hypervisor: {
      async statistics(signal) {
        const seen = await guests.hypervisor.statistics(signal);
        await pass;
        return seen;
      },
    },
  });
  guestWrites(guests.vm, 'vda', 70n * MiB);
  await guests.keeper.look();
  const { promise, resolve: open } = Promise.withResolvers<void>();
  pass = promise;
  const late = guests.keeper.look();
  await guests.rescue();
  assert.is(guests.vm.state, 'running');
  const size = guests.size();
  open();
  await late;
  await guests.rescue();
  assert.is(told(guests, 'disk.resumed'), 1);
  assert.is(guests.size(), size);
});

test('a disk that is switched off keeps its guest waiting', async () => {
  await using guests = await makeGuests();
  await guests.daemon.disks.keep({ name: 'img', settings: { 'autoextend.off': '1' } }, call());
  guestWrites(guests.vm, 'vda', 70n * MiB);
  await attend(guests);
  assert.is(guests.vm.state, 'paused');
});

test.run();
