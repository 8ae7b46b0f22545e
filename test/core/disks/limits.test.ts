import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CreateRequest } from '../../../core/capabilities/disks.ts';
import { disksOf } from '../../../core/disks/index.ts';
import type { Limits } from '../../../core/disks/limits.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { call, failure, type House, makeHouse } from './house.ts';

const test = suite('what new disks may not take');

/** Pools of 1,000 MiB. */
const inHouse = (title: string, work: (house: House) => Promise<void>) =>
  test(title, async () => {
    await using house = await makeHouse({ size: 1000n * MiB });
    await work(house);
  });

const under = (house: House, limits: Partial<Limits>) =>
  disksOf({ ...house.daemon().world, limits: { reserve: 0n, overcommit: undefined, ...limits } });
const thick = (name: string, size: bigint): CreateRequest => ({ name, mode: 'thick', size });
const thin = (name: string, size: bigint, virtualSize = 4n * GiB): CreateRequest => ({
  name,
  mode: 'thin',
  size,
  virtualSize,
});

for (const reserve of ['10%', 100n * MiB] as const) {
  inHouse(`with ${reserve} kept, a thin disk may leave just that`, async (house) => {
    const disks = under(house, { reserve });
    const error = await failure(disks.create(thin('a', 904n * MiB), call()));
    assert.equal([error.kind, error.code], ['exhausted', 'core/pool-reserve']);
    assert.is(
      error.message,
      'a of 904 MiB would leave 96 MiB free in pool mem, which keeps 100 MiB for thin disks that grow',
    );
    assert.is(error.hint, 'give it at most 900 MiB; or lower reserve in sltv.config.ts');
    assert.equal(house.pools.commits, []);
    assert.is((await disks.create(thin('a', 900n * MiB), call())).size, 900n * MiB);
  });
}

inHouse('a pool without thin disks keeps nothing for them', async (house) => {
  const disks = under(house, { reserve: '10%' });
  assert.is((await disks.create(thick('a', 1000n * MiB), call())).size, 1000n * MiB);
});

inHouse('a thick disk leaves what the thin disks beside it may need', async (house) => {
  const disks = under(house, { reserve: '10%' });
  await disks.create(thin('a', 64n * MiB), call());
  assert.is((await failure(disks.create(thick('b', 900n * MiB), call()))).code, 'core/pool-reserve');
  await disks.create(thick('b', 836n * MiB), call());
  const full = await failure(disks.create(thick('c', 4n * MiB), call()));
  assert.is(full.hint, 'delete disks that nobody needs; or lower reserve in sltv.config.ts');
});

inHouse('what the pool does not have at all it refuses itself', async (house) => {
  const disks = under(house, { reserve: '10%' });
  assert.is((await failure(disks.create(thin('a', 1001n * MiB), call()))).code, 'memory/no-space');
});

inHouse('a first size that nobody chose may be smaller', async (house) => {
  const world = {
    ...house.daemon().world,
    thinInitialSize: 950n * MiB,
    limits: { reserve: '10%', overcommit: undefined } as const,
  };
  const error = await failure(disksOf(world).create({ name: 'a', mode: 'thin', virtualSize: 4n * GiB }, call()));
  assert.is(error.code, 'core/pool-reserve');
  assert.match(error.hint ?? '', /^begin smaller, as with --size 1G; or give it at most 900 MiB/);
});

inHouse('where a pool takes devices the hint says so', async (house) => {
  const { world } = house.daemon();
  const [pool] = (await world.storages[0]?.pools(call().signal)) ?? [];
  assert.ok(pool);
  const storages = [{ kind: 'memory', pools: async () => [{ ...pool, grow: async () => {} }] }];
  const disks = disksOf({ ...world, storages, limits: { reserve: '10%', overcommit: 2 } });
  for (const request of [thin('a', 950n * MiB, GiB), thin('a', MiB)]) {
    assert.match((await failure(disks.create(request, call()))).hint ?? '', 'sltv pool extend mem /dev/…; or ');
  }
});

inHouse('growth and extension take what is kept', async (house) => {
  const disks = under(house, { reserve: '10%', overcommit: 1 });
  await disks.create(thin('a', 64n * MiB, 1000n * MiB), call());
  await disks.grow({ pool: 'mem', name: 'a' }, { to: 960n * MiB, secondsToFull: 1 }, call().signal);
  assert.is((await disks.extend({ name: 'a', size: 1000n * MiB }, call())).size, 1000n * MiB);
});

for (const [limits, code] of [
  [{ reserve: '10%' }, 'core/pool-reserve'],
  [{ overcommit: 1.5 }, 'core/overcommit'],
] as const) {
  inHouse(`of two creations at once that fit one by one, one is refused with ${code}`, async (house) => {
    const disks = under(house, limits);
    const tries = ['a', 'b'].map((name) => disks.create(thin(name, 500n * MiB, GiB), call()));
    const outcomes = await Promise.allSettled(tries);
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
    assert.equal(refused, [code]);
    assert.is(house.pools.commits.filter((commit) => commit.startsWith('create')).length, 1);
  });
}

inHouse('the disks of a pool promise no more than so many times its size', async (house) => {
  const disks = under(house, { overcommit: 2 });
  await disks.create(thin('a', MiB, 1200n * MiB), call());
  const error = await failure(disks.create(thin('b', MiB, 801n * MiB), call()));
  assert.equal([error.kind, error.code], ['exhausted', 'core/overcommit']);
  assert.is(
    error.message,
    'with b of 801 MiB the disks of pool mem would promise their guests 1.95 GiB, and 1.95 GiB are the most: 2 times its size',
  );
  assert.is((await disks.create(thin('b', MiB, 800n * MiB), call())).virtualSize, 800n * MiB);
  assert.is((await failure(disks.create(thick('c', 4n * MiB), call()))).code, 'core/overcommit');
  assert.is(
    (await disks.create({ ...thick('c', 4n * MiB), pool: 'other' }, call())).pool,
    'other',
    'each pool its own',
  );
});

inHouse('resizing promises more, too, thin or thick', async (house) => {
  const disks = under(house, { overcommit: 1 });
  await disks.create(thin('a', MiB, 500n * MiB), call());
  await disks.create(thick('b', 100n * MiB), call());
  house.pools.commits.length = 0;
  for (const name of ['a', 'b']) {
    const error = await failure(disks.resize({ name, virtualSize: 904n * MiB }, call()));
    assert.is(error.code, 'core/overcommit', name);
  }
  assert.equal(house.pools.commits, []);
  assert.is((await disks.resize({ name: 'a', virtualSize: 900n * MiB }, call())).virtualSize, 900n * MiB);
  assert.is((await disks.resize({ name: 'b', virtualSize: 100n * MiB }, call())).virtualSize, 100n * MiB);
});

test.run();
