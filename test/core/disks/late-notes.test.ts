import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeLateNotes } from '../../../core/disks/late-notes.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { call, type Daemon, failure, type House, makeHouse } from './house.ts';

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

const img = { pool: 'mem', name: 'img' };

async function withImage(work: (house: House) => Promise<void>): Promise<void> {
  await using house = await makeHouse();
  await house.daemon().disks.create({ name: 'img', mode: 'thin', virtualSize: GiB }, call());
  await work(house);
}

const endOf = async ({ disks }: Daemon) => (await disks.show({ name: 'img' }, call())).end;

async function flush({ world }: Daemon): Promise<void> {
  const [pool] = (await world.storages[0]?.pools(call().signal)) ?? [];
  await pool?.change({ signal: call().signal }, (writer) => writeLateNotes(world.lateNotes, writer, 'mem', 'img'));
}

test('how far an image is written is known at once, never goes back, and rides on the next commit', () =>
  withImage(async (house) => {
    const daemon = house.daemon();
    daemon.disks.noteEnd(img, 7n * MiB);
    daemon.disks.noteEnd(img, 5n * MiB);
    assert.is(await endOf(daemon), 7n * MiB);
    const commits = house.pools.commits.length;
    await daemon.disks.attach({ disk: 'img', vm: 'web', readOnly: false }, call());
    assert.is(house.pools.commits.length, commits + 2, 'as many as an attach costs');
    assert.equal(daemon.world.lateNotes.waiting(), []);
    await daemon.disks.detach({ disk: 'img', vm: 'web' }, call());
    assert.is(await endOf(house.daemon()), 7n * MiB, 'a later daemon knows it, after the detach, too');
  }));

test('less than the volume says is not written over it', () =>
  withImage(async (house) => {
    const first = house.daemon();
    first.disks.noteEnd(img, 7n * MiB);
    await flush(first);
    const next = house.daemon();
    next.disks.noteEnd(img, 5n * MiB);
    const commits = house.pools.commits.length;
    await flush(next);
    assert.is(house.pools.commits.length, commits);
    assert.is(await endOf(house.daemon()), 7n * MiB);
  }));

test('resizing leaves it as it is', () =>
  withImage(async (house) => {
    const daemon = house.daemon();
    daemon.disks.noteEnd(img, 7n * MiB);
    await daemon.disks.resize({ name: 'img', virtualSize: 2n * GiB }, call());
    assert.is(await endOf(house.daemon()), 7n * MiB);
  }));

test('a new disk by an old name knows nothing of the old one', () =>
  withImage(async (house) => {
    const daemon = house.daemon();
    daemon.disks.noteEnd(img, 7n * MiB);
    await daemon.disks.delete({ name: 'img', force: false }, call());
    assert.equal(daemon.world.lateNotes.waiting(), []);
    // Told late, of the disk that is no more.
    daemon.disks.noteEnd(img, 9n * MiB);
    await daemon.disks.create({ name: 'img', mode: 'thin', virtualSize: GiB }, call());
    assert.is(await endOf(daemon), undefined);
  }));

test('what is remembered of a volume that is no more is forgotten', () =>
  withImage(async (house) => {
    const daemon = house.daemon();
    await daemon.disks.delete({ name: 'img', force: false }, call());
    daemon.disks.noteEnd(img, 9n * MiB);
    await flush(daemon);
    assert.equal(daemon.world.lateNotes.waiting(), []);
  }));

test.run();
