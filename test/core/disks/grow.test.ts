import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reach } from '../../../core/disks/grow.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { call, failure, type House, type HouseOptions, makeHouse } from './house.ts';

const test = suite('the growth of thin disks');
const inHouse = (title: string, work: (house: House) => Promise<void>, options?: HouseOptions) =>
  test(title, async () => {
    await using house = await makeHouse(options);
    await house.daemon().disks.create({ name: 'img', mode: 'thin', virtualSize: 4n * GiB }, call());
    house.pools.commits.length = 0;
    await work(house);
  });

const img = { pool: 'mem', name: 'img' };
const signal = () => call().signal;
const wish = (to: bigint) => ({ to, secondsToFull: 5 });

inHouse('a wish is rounded up to whole extents, costs one commit and is told as automatic', async (house) => {
  const { disks, told } = house.daemon();
  const disk = await disks.grow(img, wish(65n * MiB), signal());
  assert.is(disk.size, 68n * MiB);
  assert.instance(disk.lastExtendedAt, Date);
  assert.equal(house.pools.commits, ['extend mem/img']);
  assert.equal(told, [{ id: 'disk.extended', what: { disk, from: 64n * MiB, automatic: true } }]);
});

inHouse('an extension by command is told as such', async (house) => {
  const { disks, told } = house.daemon();
  const disk = await disks.extend({ name: 'img', size: 128n * MiB }, call());
  assert.equal(told, [{ id: 'disk.extended', what: { disk, from: 64n * MiB, automatic: false } }]);
});

inHouse('a size that is reached changes nothing, and nobody is told', async (house) => {
  const { disks, events } = house.daemon();
  for (const to of [0n, MiB, 64n * MiB]) assert.is((await disks.grow(img, wish(to), signal())).size, 64n * MiB);
  assert.equal(house.pools.commits, []);
  assert.equal(events, []);
});

inHouse('of two wishes for one disk the one that is overtaken changes nothing', async (house) => {
  const { disks, events } = house.daemon();
  const both = [wish(256n * MiB), wish(128n * MiB)].map((each) => disks.grow(img, each, signal()));
  const sizes = (await Promise.all(both)).map(({ size }) => size);
  assert.equal(sizes, [256n * MiB, 256n * MiB]);
  assert.equal(house.pools.commits, ['extend mem/img']);
  assert.equal(events, ['disk.extended']);
});

inHouse('whoever is full sooner goes first, and all go before other changes', async (house) => {
  const { disks, world } = house.daemon();
  await disks.create({ name: 'second', mode: 'thin', virtualSize: 4n * GiB }, call());
  const [pool] = (await world.storages[0]?.pools(signal())) ?? [];
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const holder = pool?.change({ signal: signal() }, () => opened);
  house.pools.commits.length = 0;
  const kept = disks.keep({ name: 'img', settings: { 'test.mark': 'x' } }, call());
  // Its way to the queue has more steps than theirs; it is there when nothing else is left to do.
  await new Promise((resolve) => setImmediate(resolve));
  const later = disks.grow(img, { to: GiB, secondsToFull: 60 }, signal());
  const sooner = disks.grow({ pool: 'mem', name: 'second' }, { to: GiB, secondsToFull: 2 }, signal());
  await new Promise((resolve) => setImmediate(resolve));
  open();
  await Promise.all([holder, kept, later, sooner]);
  assert.equal(house.pools.commits, ['extend mem/second', 'extend mem/img', 'annotate mem/img']);
});

inHouse(
  'where less is left a disk grows by what is left, and after that the pool says that it is full',
  async (house) => {
    const { disks } = house.daemon();
    assert.is((await disks.grow(img, wish(GiB), signal())).size, 100n * MiB);
    const error = await failure(disks.grow(img, wish(GiB), signal()));
    assert.equal([error.kind, error.code], ['exhausted', 'memory/no-space']);
  },
  { size: 102n * MiB },
);

inHouse('no gate is asked and no journal written', async (house) => {
  const { world } = house.daemon();
  const { disksOf } = await import('../../../core/disks/index.ts');
  const refuse = () => Promise.reject(new Error('asked'));
  const disks = disksOf({ ...world, ask: refuse, journal: { ...world.journal, decide: refuse, recall: refuse } });
  assert.is((await disks.grow(img, wish(128n * MiB), signal())).size, 128n * MiB);
});

inHouse('a thick disk, one that is not there and one that another node holds are refused', async (house) => {
  const { disks, world } = house.daemon();
  await disks.create({ name: 'raw', mode: 'thick', size: 8n * MiB }, call());
  assert.is((await failure(disks.grow({ ...img, name: 'raw' }, wish(GiB), signal()))).code, 'core/unsupported');
  assert.is((await failure(disks.grow({ ...img, name: 'none' }, wish(GiB), signal()))).code, 'core/disk-missing');
  const [pool] = (await world.storages[0]?.pools(signal())) ?? [];
  await pool?.change({ signal: signal() }, (writer) => writer.annotate('img', { add: { on: ['n2/b9'] } }));
  assert.is((await failure(disks.grow(img, wish(GiB), signal()))).code, 'core/disk-elsewhere');
});

test('it never shrinks, never takes more than is free, and stops at whole extents', () => {
  const bytes = fc.bigInt({ min: 0n, max: 2n ** 50n });
  const extents = fc.constantFrom(4096n, 64n * 1024n, 4n * MiB, 5n * MiB);
  fc.assert(
    fc.property(bytes, bytes, bytes, extents, (extentsUsed, to, free, extent) => {
      const size = (extentsUsed % 2n ** 24n) * extent;
      const within = reach({ size, to, free, extent });
      assert.ok(within >= size && within - size <= free);
      assert.is(within % extent, 0n);
      assert.ok(within <= size || within < to + extent, 'no more than was wished');
      const isShort = within < to && within - size + extent <= free;
      assert.not(isShort, 'an extent that is free and wished is taken');
    }),
  );
});

test.run();
