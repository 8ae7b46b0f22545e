import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GiB, MiB } from '../../../core/units.ts';
import { call, failure, type House, makeHouse } from './house.ts';

const test = suite('the full size of thin disks');
const inHouse = (title: string, work: (house: House) => Promise<void>) =>
  test(title, async () => {
    await using house = await makeHouse();
    const { disks } = house.daemon();
    await disks.create({ name: 'img', mode: 'thin', virtualSize: 10n * GiB }, call());
    await work(house);
  });

const img = { pool: 'mem', name: 'img' };
const fullSize = (house: House) => house.daemon().disks.fullSize(img, call().signal);
const image = (house: House) => `${house.pools.directory}/dev/mem/img`;
const active = (house: House) => house.daemon().disks.attach({ disk: 'img', vm: 'web', readOnly: false }, call());

/** As measured by qemu-img for an image of 10 GiB in clusters of 64 KiB. */
const FULL = 10_739_318_784n;

inHouse('it is what qemu-img measures, whether the disk is active or not', async (house) => {
  assert.is(await fullSize(house), FULL);
  await active(house);
  assert.is(await fullSize(house), FULL);
});

inHouse('an image that was resized by hand counts with the size that it has', async (house) => {
  await active(house);
  await execa('qemu-img', ['resize', '-q', '-f', 'qcow2', image(house), '20G']);
  const full = await fullSize(house);
  assert.ok(full !== undefined && full > 20n * GiB, String(full));
});

inHouse('an image with smaller clusters needs more', async (house) => {
  await active(house);
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', 'cluster_size=4k', image(house), '10G']);
  const full = await fullSize(house);
  assert.ok(full !== undefined && full > FULL, String(full));
});

for (const [what, ...args] of [
  ['a snapshot', 'snapshot', '-q', '-c', 'before'],
  ['a bitmap', 'bitmap', '--add'],
] as const) {
  inHouse(`an image that holds ${what} has none`, async (house) => {
    await active(house);
    await execa('qemu-img', [...args, image(house), ...(what === 'a bitmap' ? ['dirty'] : [])]);
    assert.is(await fullSize(house), undefined);
  });
}

inHouse('a thick disk has no image', async (house) => {
  const { disks } = house.daemon();
  await disks.create({ name: 'raw', mode: 'thick', size: 8n * MiB }, call());
  assert.is((await failure(disks.fullSize({ ...img, name: 'raw' }, call().signal))).code, 'core/unsupported');
});

test.run();
