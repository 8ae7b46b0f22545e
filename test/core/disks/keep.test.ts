import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../../core/units.ts';
import { call, failure, type House, makeHouse } from './house.ts';

const test = suite('what plugins keep with a disk');
const inHouse = (title: string, work: (house: House) => Promise<void>) =>
  test(title, async () => {
    await using house = await makeHouse();
    await house.daemon().disks.create({ name: 'd', mode: 'thick', size: 8n * MiB }, call());
    house.pools.commits.length = 0;
    await work(house);
  });

const keep = (house: House, settings: Readonly<Record<string, string | undefined>>) =>
  house.daemon().disks.keep({ name: 'd', settings }, call());

inHouse('several settings are one commit, and a later daemon knows them', async (house) => {
  const disk = await keep(house, { 'autoextend.step': '20%', 'autoextend.max': '40 GiB' });
  assert.equal(disk.settings, { 'autoextend.step': '20%', 'autoextend.max': '40 GiB' });
  assert.equal(house.pools.commits, ['annotate mem/d']);
  assert.equal((await house.daemon().disks.show({ name: 'd' }, call())).settings, disk.settings);
});

inHouse('what is kept already costs no commit, and neither does taking away what is not there', async (house) => {
  await keep(house, { 'a.b': 'x' });
  await keep(house, { 'a.b': 'x', 'c.d': undefined });
  assert.is(house.pools.commits.length, 1);
});

inHouse('one is replaced and one taken away in one commit, and others stay', async (house) => {
  await keep(house, { 'a.b': 'x', 'a.c': 'y', 'z.z': 'stays' });
  const disk = await keep(house, { 'a.b': 'new', 'a.c': undefined });
  assert.equal(disk.settings, { 'a.b': 'new', 'z.z': 'stays' });
  assert.is(house.pools.commits.length, 2);
});

for (const key of ['op', 'own', '.b', 'a.', 'a.b.c', 'A.b', 'a b.c', 'a=b.c', '']) {
  inHouse(`'${key}' is no key of a setting`, async (house) => {
    assert.is((await failure(keep(house, { [key]: 'x' }))).code, 'core/input');
    assert.equal(house.pools.commits, []);
  });
}

inHouse('a VM may have the disk, also on another node, and gives it back with its settings', async (house) => {
  const { disks, world } = house.daemon();
  await disks.attach({ disk: 'd', vm: 'web', readOnly: false }, call());
  await keep(house, { 'a.b': 'x' });
  await disks.detach({ disk: 'd', vm: 'web' }, call());
  assert.equal((await disks.show({ name: 'd' }, call())).settings, { 'a.b': 'x' });
  const [pool] = (await world.storages[0]?.pools(call().signal)) ?? [];
  await pool?.change({ signal: call().signal }, (writer) => writer.annotate('d', { add: { on: ['n2/b9'] } }));
  assert.equal((await keep(house, { 'a.b': 'y' })).settings, { 'a.b': 'y' });
});

inHouse('a disk that is being created has none yet', async (house) => {
  const { world } = house.daemon();
  const [pool] = (await world.storages[0]?.pools(call().signal)) ?? [];
  await pool?.change({ signal: call().signal }, (writer) => writer.annotate('d', { add: { op: ['create/n9/b9/i'] } }));
  assert.is((await failure(keep(house, { 'a.b': 'x' }))).code, 'core/disk-busy');
});

test.run();
