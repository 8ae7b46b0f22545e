import { execa } from 'execa';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readEntry } from '../../../core/disks/entry.ts';
import { lacksHeadroom, sizeForStart } from '../../../core/disks/headroom.ts';
import { GiB, MiB, TiB } from '../../../core/units.ts';
import { call, type House, type HouseOptions, makeHouse } from './house.ts';

const test = suite('room for the start of a VM');

/** A thin disk of 4 GiB on 64 MiB, whose image is known to be written to 40 MiB, in a pool of block devices. */
const inHouse = (title: string, work: (house: House) => Promise<void>, options?: HouseOptions) =>
  test(title, async () => {
    await using house = await makeHouse({ source: 'block', ...options });
    const { disks } = house.daemon();
    await disks.create({ name: 'img', mode: 'thin', virtualSize: 4n * GiB }, call());
    await noteEnd(house, 40n * MiB);
    house.pools.commits.length = 0;
    await work(house);
  });

async function noteEnd(house: House, end: bigint): Promise<void> {
  const { disks } = house.daemon();
  disks.noteEnd({ pool: 'mem', name: 'img' }, end);
  await disks.keep({ name: 'img', settings: { 'test.end': String(end) } }, call());
}

const attach = (house: House, vm = 'web', readOnly = false) =>
  house.daemon().disks.attach({ disk: 'img', vm, readOnly }, call());
const sizeOf = async (house: House) => (await house.daemon().disks.show({ name: 'img' }, call())).size;

inHouse('an attach to a running VM first grows a disk by what it lacks', async (house) => {
  const { disks, told } = house.daemon();
  const before = await disks.show({ name: 'img' }, call());
  await disks.attach({ disk: 'img', vm: 'web', readOnly: false }, call());
  // 40 MiB and a sixteenth of 4 GiB, in whole extents.
  const disk = await disks.show({ name: 'img' }, call());
  assert.is(disk.size, 296n * MiB);
  assert.instance(disk.lastExtendedAt, Date);
  assert.equal(house.pools.commits, ['extend mem/img', 'annotate mem/img', 'annotate mem/img']);
  const grown = { ...before, size: disk.size, lastExtendedAt: disk.lastExtendedAt };
  assert.equal(told[0], { id: 'disk.extended', what: { disk: grown, from: before.size, automatic: true } });
  assert.is(told[1]?.id, 'disk.attached');
});

inHouse('an end that is not yet with the volume counts, too', async (house) => {
  const { disks } = house.daemon();
  disks.noteEnd({ pool: 'mem', name: 'img' }, 60n * MiB);
  await disks.attach({ disk: 'img', vm: 'web', readOnly: false }, call());
  assert.is(await sizeOf(house), 316n * MiB);
});

inHouse('an attach to a VM that is off leaves that to the hook', async (house) => {
  await attach(house, 'db');
  assert.is(await sizeOf(house), 64n * MiB);
});

inHouse('a disk that the guest may only read needs no room', async (house) => {
  await attach(house, 'web', true);
  assert.is(await sizeOf(house), 64n * MiB);
});

inHouse(
  'in a pool of files nothing is grown',
  async (house) => {
    await attach(house);
    assert.is(await sizeOf(house), 64n * MiB);
  },
  { source: 'file' },
);

inHouse(
  'where less is left a disk gets what is left, and where nothing is left the attach goes on',
  async (house) => {
    await attach(house);
    assert.is(await sizeOf(house), 100n * MiB);
    await house.daemon().disks.detach({ disk: 'img', vm: 'web' }, call());
    assert.is((await attach(house)).target, 'vda');
    assert.is(await sizeOf(house), 100n * MiB);
  },
  { size: 102n * MiB },
);

test('nothing is known of a disk whose end is not', () => {
  assert.is(sizeForStart({ end: undefined, virtualSize: 4n * GiB }), 0n);
});

for (const [virtualSize, headroom] of [
  [GiB / 2n, 64n * MiB],
  [4n * GiB, 256n * MiB],
  [TiB, GiB],
] as const) {
  test(`a guest that sees ${virtualSize} bytes finds ${headroom} free`, () => {
    assert.is(sizeForStart({ end: MiB, virtualSize }), MiB + headroom);
  });
}

for (const size of ['512', '1M', '100M', '10G', '77T']) {
  test(`of ${size} no more is taken than the whole image could need, and not much more`, async () => {
    const { stdout } = await execa('qemu-img', ['measure', '--size', size, '-O', 'qcow2', '--output', 'json']);
    const full = BigInt(JSON.parse(stdout)['fully-allocated']);
    const { stdout: plain } = await execa('qemu-img', ['measure', '--size', size, '-O', 'raw', '--output', 'json']);
    const virtualSize = BigInt(JSON.parse(plain)['fully-allocated']);
    const most = sizeForStart({ end: full - 1n, virtualSize });
    assert.ok(most >= full, `${most} is less than ${full}`);
    assert.ok(most - full <= virtualSize / 4096n + MiB);
  });
}

test('an image that holds more than its guest sees gets its whole room', () => {
  assert.is(sizeForStart({ end: 20n * GiB, virtualSize: 10n * GiB }), 20n * GiB + 640n * MiB);
});

test('a disk that has room is not touched, whatever its sizes are', () => {
  const bytes = fc.bigInt({ min: 0n, max: 2n ** 50n });
  fc.assert(
    fc.property(bytes, bytes, (end, virtualSize) => {
      const wanted = sizeForStart({ end, virtualSize });
      assert.ok(wanted >= end && wanted - end <= GiB);
    }),
  );
});

inHouse('the hook asks for no turn where nothing is lacking', async (house) => {
  const { world } = house.daemon();
  const [pool] = (await world.storages[0]?.pools(call().signal)) ?? [];
  const disk = await house
    .daemon()
    .disks.grow({ pool: 'mem', name: 'img' }, { to: GiB, secondsToFull: 1 }, call().signal);
  assert.ok(pool);
  const volume = house.pools.pools.get('mem')?.get('img');
  const entry = volume && readEntry(volume);
  assert.ok(entry);
  assert.is(disk.size, GiB);
  assert.not(lacksHeadroom(pool, entry));
});

test.run();
