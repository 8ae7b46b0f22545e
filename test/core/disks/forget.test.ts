import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GiB, MiB } from '../../../core/units.ts';
import { call, failure, type House, makeHouse } from './house.ts';

const test = suite('forgetting');
const inHouse = (title: string, work: (house: House) => Promise<void>) =>
  test(title, async () => {
    await using house = await makeHouse({ source: 'block' });
    await work(house);
  });

const thin = { name: 'd', mode: 'thin', virtualSize: GiB } as const;
const notesOf = (house: House) => house.pools.pools.get('mem')?.get('d')?.notes;

inHouse('a disk that is let go is nobody’s, and can be adopted as it was', async (house) => {
  const { disks, events } = house.daemon();
  const made = await disks.create(thin, call());
  await disks.forget({ name: 'd', attached: false }, call());
  assert.equal(await disks.list({}, call()), []);
  assert.equal(notesOf(house), {});
  assert.equal(events, ['disk.created', 'disk.forgotten']);
  assert.is(house.pools.active.size, 0);
  assert.is((await failure(disks.forget({ name: 'd', attached: false }, call()))).code, 'core/disk-foreign');
  const [again] = await disks.adopt({ name: 'd', format: 'qcow2' }, call());
  assert.ok(again && !again.refusal);
  assert.equal([again?.disk.mode, again?.disk.virtualSize, again?.disk.size], ['thin', GiB, made.size]);
});

inHouse('one that a VM has stays until somebody says that the VM shall keep it', async (house) => {
  const { disks } = house.daemon();
  const { path } = await disks.create(thin, call());
  await disks.attach({ disk: 'd', vm: 'db', readOnly: false }, call());
  const error = await failure(disks.forget({ name: 'd', attached: false }, call()));
  assert.is(error.code, 'core/disk-attached');
  assert.match(error.hint ?? '', '--attached');
  await disks.forget({ name: 'd', attached: true }, call());
  assert.is(house.vms.off.disks.length, 1);
  assert.ok(house.pools.active.has(path), 'nobody else would activate it for the start of its VM');
  const [again] = await disks.adopt({ name: 'd' }, call());
  assert.ok(again && !again.refusal);
  assert.equal([again?.disk.owner?.vmName, again?.disk.mode], ['db', 'thin']);
});

inHouse('one with an operation in hand is refused', async (house) => {
  await house
    .daemon({ at: 1, how: 'die-after' })
    .disks.create(thin, call())
    .catch(() => {});
  const error = await failure(house.daemon().disks.forget({ name: 'd', attached: true }, call()));
  assert.is(error.code, 'core/disk-busy');
});

inHouse('repeated with its request id it succeeds, and does not touch what was made since', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thin, call());
  await disks.forget({ name: 'd', attached: false }, call('r1'));
  await disks.forget({ name: 'd', attached: false }, call('r1'));
  await disks.adopt({ name: 'd', format: 'qcow2' }, call());
  await disks.forget({ name: 'd', attached: false }, call('r1'));
  assert.is((await disks.list({}, call())).length, 1);
});

for (const how of ['fail', 'lose', 'die-before', 'die-after'] as const) {
  test(`a disk is let go or it is not: ${how}`, async () => {
    await using house = await makeHouse({ source: 'block' });
    await house.daemon().disks.create(thin, call());
    await house
      .daemon({ at: 1, how })
      .disks.forget({ name: 'd', attached: false }, call('it'))
      .catch(() => {});
    const next = house.daemon();
    await next.start();
    assert.equal(
      (await next.disks.list({}, call())).map(({ state }) => state),
      how === 'lose' || how === 'die-after' ? [] : ['ready'],
    );
    await next.disks.forget({ name: 'd', attached: false }, call('it'));
    assert.equal(notesOf(house), {});
  });
}

for (const how of ['fail', 'lose', 'die-before', 'die-after'] as const) {
  test(`a pool of a host that is gone is taken with all its disks, from the start when it was interrupted: ${how}`, async () => {
    for (let at = 1; at <= 5; at += 1) await takeAt(at, how);
  });
}

/** A host that is gone left a disk at rest, one of a VM, one that is made, one that goes, and one between. */
async function takeAt(at: number, how: 'fail' | 'lose' | 'die-before' | 'die-after'): Promise<void> {
  await using house = await makeHouse({ source: 'block' });
  const left = await house.daemon();
  const [pool] = (await left.world.storages[0]?.pools(call().signal)) ?? [];
  const note = (name: string, more: Record<string, readonly string[]>) =>
    pool?.change({ signal: call().signal }, (writer) =>
      writer.create({
        name,
        size: MiB,
        format: 'raw',
        active: false,
        notes: { v: ['1'], disk: [`id-${name}`], layer: ['0'], fmt: ['raw'], vsize: ['1'], on: ['old/b0'], ...more },
      }),
    );
  const vm = house.vms.off;
  await note('idle', {});
  await note('made', { op: ['create/old/b0/r'] });
  await note('owned', { own: [`${vm.uuid}/vda/db`] });
  await note('given', { own: ['11111111-1111-4111-8111-111111111111/vda/web'], op: ['attach/old/b0/r'] });
  house.pools.strangers.add('mem');

  const where = `${how} at ${at}`;
  assert.is(
    (await failure(left.disks.attach({ disk: 'idle', vm: 'web', readOnly: false }, call()))).code,
    'core/disk-elsewhere',
  );
  await house
    .daemon({ at, how })
    .disks.takePool({ name: 'mem' }, call())
    .catch(() => {});
  const next = house.daemon();
  await next.disks.takePool({ name: 'mem' }, call());
  await next.start();
  const states = (await next.disks.list({}, call())).map(({ name, state }) => `${name} ${state}`);
  assert.equal(states, ['given ready', 'idle ready', 'owned owned'], where);
  await next.disks.attach({ disk: 'idle', vm: 'web', readOnly: false }, call());
  const notes = house.pools.pools.get('mem')?.get('owned')?.notes;
  assert.equal([notes?.own, notes?.on], [[`${vm.uuid}/vda/db`], undefined], where);
}

inHouse('a pool that is this host’s already is not touched', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thin, call());
  const commits = house.pools.commits.length;
  await disks.takePool({ name: 'mem' }, call());
  assert.is(house.pools.commits.length, commits);
  assert.is((await failure(disks.takePool({ name: 'none' }, call()))).code, 'core/pool-missing');
});

test.run();
