import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeLateNotes } from '../../../core/disks/late-notes.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { call, failure, makeHouse } from './house.ts';

test('the time of an extension is known at once and written with one commit later', async () => {
  await using house = await makeHouse();
  const { disks, world } = house.daemon();
  await disks.create({ name: 'd', mode: 'thick', size: 4n * MiB }, call());
  await disks.extend({ name: 'd', size: 8n * MiB }, call());
  assert.instance((await disks.show({ name: 'd' }, call())).lastExtendedAt, Date);
  assert.instance((await disks.list({}, call()))[0]?.lastExtendedAt, Date);
  assert.equal(house.pools.commits, ['create mem/d', 'extend mem/d']);
  assert.equal(
    world.lateNotes.waiting().map(({ name }) => name),
    ['d'],
  );
  const [pool] = (await world.storages[0]?.pools(call().signal)) ?? [];
  await pool?.change({ signal: call().signal }, (writer) => writeLateNotes(world.lateNotes, writer, 'mem', 'd'));
  assert.equal(world.lateNotes.waiting(), []);
  assert.is(house.pools.commits.length, 3);
  const next = house.daemon();
  assert.instance((await next.disks.show({ name: 'd' }, call())).lastExtendedAt, Date, 'a later daemon knows it');
});

test('an extension that was refused has no time', async () => {
  await using house = await makeHouse();
  const { disks, world } = house.daemon();
  await disks.create({ name: 'd', mode: 'thick', size: 4n * MiB }, call());
  const refusal = await failure(disks.extend({ name: 'd', size: 10_000n * GiB }, call()));
  assert.is(refusal.code, 'memory/no-space');
  assert.equal(world.lateNotes.waiting(), []);
  assert.is((await disks.show({ name: 'd' }, call())).lastExtendedAt, undefined);
});

test.run();
