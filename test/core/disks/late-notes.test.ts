import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { disksOf } from '../../../core/disks/index.ts';
import { createLateNotes, DUE, flushLateNotes, OVERDUE } from '../../../core/disks/late-notes.ts';
import { createLog } from '../../../core/log.ts';
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
  await flushLateNotes(world, 0);
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

const flush = ({ world }: Daemon) => flushLateNotes(world, 0);

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

test('how far an image is written when nobody writes to it any more is with its volume at once', () =>
  withImage(async (house) => {
    const { disks, world } = house.daemon();
    disks.noteEnd(img, 7n * MiB);
    const commits = house.pools.commits.length;
    disks.noteEnd(img, 9n * MiB, true);
    while (world.lateNotes.waiting().length > 0) await turnOfTheLoop();
    assert.is(house.pools.commits.length, commits + 1);
    assert.is(await endOf(house.daemon()), 9n * MiB);
  }));

test('what is due is written at a good moment, and what is overdue at any', async () => {
  await using house = await makeHouse();
  let milliseconds = 0;
  const world = { ...house.daemon().world, lateNotes: createLateNotes(() => milliseconds) };
  const disks = disksOf(world);
  await disks.create({ name: 'img', mode: 'thin', virtualSize: GiB }, call());
  const commits = house.pools.commits.length;
  disks.noteEnd(img, 7n * MiB);
  milliseconds = DUE - 1;
  disks.noteEnd(img, 8n * MiB);
  await turnOfTheLoop();
  assert.is(house.pools.commits.length, commits, 'not due');
  milliseconds = DUE;
  await flushLateNotes(world, OVERDUE);
  assert.is(house.pools.commits.length, commits, 'due, and nobody said that it is a good moment');
  disks.noteEnd(img, 9n * MiB);
  while (world.lateNotes.waiting().length > 0) await turnOfTheLoop();
  assert.is(house.pools.commits.length, commits + 1, 'due, at a good moment');
  disks.noteEnd(img, 10n * MiB);
  milliseconds += OVERDUE;
  await flushLateNotes(world, OVERDUE);
  assert.is(house.pools.commits.length, commits + 2, 'overdue');
  assert.is(await endOf(house.daemon()), 10n * MiB);
});

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

test('what one pool does not take now is kept for the next time, and the other pools have theirs', async () => {
  await using house = await makeHouse();
  const daemon = house.daemon();
  const said: string[] = [];
  const log = createLog({ level: 'warn', format: 'text', write: (line) => void said.push(line) });
  const thin = { mode: 'thin', virtualSize: GiB } as const;
  for (const pool of ['mem', 'other']) {
    await daemon.disks.create({ name: 'img', pool, ...thin }, call());
    daemon.disks.noteEnd({ pool, name: 'img' }, 7n * MiB);
  }
  const storages = daemon.world.storages.map((storage) => ({
    ...storage,
    pools: async (signal: AbortSignal) =>
      (await storage.pools(signal)).map((pool) => (pool.name === 'mem' ? { ...pool, change: broken } : pool)),
  }));
  await flushLateNotes({ ...daemon.world, storages, log }, 0);
  assert.equal(
    daemon.world.lateNotes.waiting().map(({ pool }) => pool),
    ['mem'],
  );
  assert.match(said.join(''), /facts could not be written.*mem\/img/s);
  await flush(daemon);
  assert.equal(daemon.world.lateNotes.waiting(), []);
});

const broken = async () => {
  throw new Error('this pool is out of order');
};

test.run();
