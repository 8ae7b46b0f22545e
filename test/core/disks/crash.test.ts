// The daemon ends at every step of every operation, before it and after it; its successor brings everything to rest.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Disk, Disks } from '../../../core/capabilities/disks.ts';
import { asSltvError } from '../../../core/errors.ts';
import { GiB, MiB } from '../../../core/units.ts';
import type { Fault } from '../../fixtures/memory-storage.ts';
import { call, type House, makeHouse } from './house.ts';

const test = suite('crashes');

interface Operation {
  readonly title: string;
  readonly before: (disks: Disks) => Promise<unknown>;
  readonly run: (disks: Disks, requestId: string) => Promise<unknown>;
  /** What holds once the request has been repeated after the crash. */
  readonly after: (house: House, disk: Disk | undefined) => void;
}

const create = (disks: Disks) => disks.create({ name: 'd', mode: 'thick', size: 8n * MiB }, call('made'));
const createThin = (disks: Disks) => disks.create({ name: 'd', mode: 'thin', virtualSize: GiB }, call('made'));
const attachTo = (vm: string) => (disks: Disks, id: string) =>
  disks.attach({ disk: 'd', vm, readOnly: false }, call(id));

const OPERATIONS: readonly Operation[] = [
  {
    title: 'creating a thick disk',
    before: async () => {},
    run: (disks, id) => disks.create({ name: 'd', mode: 'thick', size: 8n * MiB }, call(id)),
    after: (_house, disk) => assert.is(disk?.state, 'ready'),
  },
  {
    title: 'creating a thin disk',
    before: async () => {},
    run: (disks, id) => disks.create({ name: 'd', mode: 'thin', virtualSize: GiB }, call(id)),
    after: (_house, disk) => assert.equal([disk?.state, disk?.virtualSize], ['ready', GiB]),
  },
  {
    title: 'extending by a delta',
    before: create,
    run: (disks, id) => disks.extend({ name: 'd', delta: 4n * MiB }, call(id)),
    after: (_house, disk) => assert.is(disk?.size, 12n * MiB),
  },
  {
    title: 'growing for a guest',
    before: createThin,
    run: (disks) => disks.grow({ pool: 'mem', name: 'd' }, { to: 128n * MiB, secondsToFull: 1 }, call().signal),
    after: (_house, disk) => assert.is(disk?.size, 128n * MiB),
  },
  {
    title: 'keeping settings',
    before: create,
    run: (disks, id) => disks.keep({ name: 'd', settings: { 'a.b': 'x', 'a.c': 'y' } }, call(id)),
    after: (_house, disk) => assert.equal(disk?.settings, { 'a.b': 'x', 'a.c': 'y' }),
  },
  {
    title: 'resizing a thin disk',
    before: createThin,
    run: (disks, id) => disks.resize({ name: 'd', virtualSize: 2n * GiB }, call(id)),
    after: (_house, disk) => assert.equal([disk?.state, disk?.virtualSize], ['ready', 2n * GiB]),
  },
  {
    title: 'attaching to a running VM',
    before: createThin,
    run: attachTo('web'),
    after: (house, disk) => {
      assert.is(disk?.state, 'owned');
      assert.is(house.vms.on.disks.length, 1);
      assert.is(house.pools.active.size, 1);
    },
  },
  {
    title: 'attaching a disk that lacks room',
    before: async (disks) => {
      await createThin(disks);
      disks.noteEnd({ pool: 'mem', name: 'd' }, 60n * MiB);
      await disks.keep({ name: 'd', settings: { 'a.b': 'x' } }, call());
    },
    run: attachTo('web'),
    after: (house, disk) => {
      // Without the room, where that commit failed: a guest that starts is worth more than one that does not.
      const hasGrown = house.pools.commits.includes('extend mem/d');
      assert.equal([disk?.state, disk?.size], ['owned', hasGrown ? 124n * MiB : 64n * MiB]);
      assert.is(house.vms.on.disks.length, 1);
      assert.is(house.pools.active.size, 1);
    },
  },
  {
    title: 'attaching to a VM that is off',
    before: create,
    run: attachTo('db'),
    after: (house, disk) => {
      assert.is(disk?.state, 'owned');
      assert.is(house.vms.off.disks.length, 1);
      assert.is(house.pools.active.size, 0);
    },
  },
  {
    title: 'detaching',
    before: async (disks) => {
      await createThin(disks);
      await attachTo('web')(disks, 'attached');
    },
    run: (disks, id) => disks.detach({ disk: 'd', vm: 'web' }, call(id)),
    after: (house, disk) => {
      assert.is(disk?.state, 'ready');
      assert.equal(house.vms.on.disks, []);
      assert.is(house.pools.active.size, 0);
    },
  },
  {
    title: 'deleting with force',
    before: async (disks) => {
      await create(disks);
      await attachTo('web')(disks, 'attached');
    },
    run: (disks, id) => disks.delete({ name: 'd', force: true }, call(id)),
    after: (house, disk) => {
      assert.is(disk, undefined);
      assert.equal(house.vms.on.disks, []);
    },
  },
];

for (const operation of OPERATIONS) {
  for (const how of ['fail', 'lose', 'die-before', 'die-after'] as const) {
    test(`${operation.title}, every commit: ${how}`, async () => {
      const steps = await commitsOf(operation);
      assert.ok(steps > 0);
      for (let at = 1; at <= steps; at += 1) await crashAt(operation, { at, how });
    });
  }
}

async function commitsOf(operation: Operation): Promise<number> {
  await using house = await makeHouse({ source: 'block' });
  await operation.before(house.daemon().disks);
  const before = house.pools.commits.length;
  await operation.run(house.daemon().disks, 'it');
  return house.pools.commits.length - before;
}

async function crashAt(operation: Operation, fault: Fault): Promise<void> {
  await using house = await makeHouse({ source: 'block' });
  await operation.before(house.daemon().disks);
  const outcome = await operation.run(house.daemon(fault).disks, 'it').then(
    () => 'ended well',
    (error) => String(error),
  );
  const where = `${fault.how} at ${fault.at}: ${outcome}`;
  const next = house.daemon();
  await next.start();
  for (const disk of await next.disks.list({}, call()))
    assert.ok(['ready', 'owned'].includes(disk.state), `${where}: ${disk.state}`);
  await mustAgree(house, next.disks, where);
  await repeat(operation, next.disks, where);
  const [disk] = await next.disks.list({}, call());
  operation.after(house, disk);
  await mustAgree(house, next.disks, where);
}

/** Notes, activation and VMs tell the same story. */
async function mustAgree(house: House, disks: Disks, where: string): Promise<void> {
  const inVms = Object.values(house.vms).flatMap((vm) => vm.disks.map((disk) => ({ vm, disk })));
  const owned = (await disks.list({}, call())).filter((disk) => disk.owner);
  assert.is(owned.length, inVms.length, where);
  for (const { vm, disk } of inVms) {
    const owner = owned.find((candidate) => candidate.path === disk.path)?.owner;
    assert.equal([owner?.vm, owner?.target], [vm.uuid, disk.target], where);
  }
  const shouldBeActive = inVms.filter(({ vm }) => vm.state !== 'off').map(({ disk }) => disk.path ?? '');
  assert.equal([...house.pools.active].sort(), shouldBeActive.sort(), where);
}

/** The caller, who was told nothing or of a failure, asks again with the same id. */
async function repeat(operation: Operation, disks: Disks, where: string): Promise<void> {
  await operation.run(disks, 'it').catch((error) => {
    throw new Error(`${where}: repeated: ${asSltvError(error).code} ${asSltvError(error).message}`);
  });
}

test.run();
