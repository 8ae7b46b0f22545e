import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CreateRequest } from '../../../core/capabilities/disks.ts';
import { disksOf } from '../../../core/disks/index.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { call, failure, type House, makeHouse } from './house.ts';

const test = suite('operations on disks');
const inHouse = (title: string, work: (house: House) => Promise<void>) =>
  test(title, async () => {
    await using house = await makeHouse();
    await work(house);
  });

const thick = (name = 'data', size = 8n * MiB): CreateRequest => ({ name, mode: 'thick', size });
const thin = (name = 'img', virtualSize = GiB): CreateRequest => ({ name, mode: 'thin', virtualSize });

inHouse('a thick disk costs one commit, and nothing is active afterwards', async (house) => {
  const disk = await house.daemon().disks.create(thick(), call());
  assert.is(disk.size, 8n * MiB);
  assert.is(disk.virtualSize, 8n * MiB);
  assert.is(disk.state, 'ready');
  assert.equal(house.pools.commits, ['create mem/data']);
  assert.is(house.pools.active.size, 0);
});

inHouse('a thin disk costs two commits and holds an image of the virtual size', async (house) => {
  const { disks } = house.daemon();
  const disk = await disks.create(thin(), call());
  assert.is(disk.size, 64n * MiB);
  assert.is(disk.virtualSize, GiB);
  assert.is(disk.state, 'ready');
  assert.equal(house.pools.commits, ['create mem/img', 'annotate mem/img']);
  const attached = await disks.attach({ disk: 'img', vm: 'web', readOnly: false }, call());
  assert.is(attached.target, 'vda');
  assert.is((await disks.show({ name: 'img' }, call())).virtualSize, GiB, 'read back from the image');
});

inHouse('a thin disk smaller than the initial size gets what its image can ever need', async (house) => {
  const disk = await house.daemon().disks.create(thin('small', 16n * MiB), call());
  assert.ok(disk.size > 16n * MiB && disk.size < 64n * MiB, String(disk.size));
});

for (const [title, request, code] of [
  ['a thick disk without a size', { name: 'a', mode: 'thick' }, 'core/bad-size'],
  ['a thick disk of size 0', { name: 'a', mode: 'thick', size: 0n }, 'core/bad-size'],
  [
    'a thick disk with a virtual size of its own',
    { name: 'a', mode: 'thick', size: MiB, virtualSize: GiB },
    'core/bad-size',
  ],
  ['a thin disk without a virtual size', { name: 'a', mode: 'thin', size: GiB }, 'core/bad-size'],
  [
    'a thin disk with an initial size above its virtual size',
    { name: 'a', mode: 'thin', size: 2n * GiB, virtualSize: GiB },
    'core/bad-size',
  ],
  ['a slash in the name', { name: 'a/b', mode: 'thick', size: MiB }, 'core/bad-name'],
  ['a leading dash', { name: '-a', mode: 'thick', size: MiB }, 'core/bad-name'],
  ["a layer's ending", { name: 'a.1', mode: 'thick', size: MiB }, 'core/bad-name'],
  ['200 characters', { name: 'a'.repeat(200), mode: 'thick', size: MiB }, 'core/bad-name'],
  ['no name', { name: '', mode: 'thick', size: MiB }, 'core/bad-name'],
  ['a pool that is not there', { name: 'a', mode: 'thick', size: MiB, pool: 'none' }, 'core/pool-missing'],
  ['more than the pool has', { name: 'a', mode: 'thick', size: 10_000n * GiB }, 'memory/no-space'],
] as const) {
  inHouse(`${title} is refused, and nothing is changed`, async (house) => {
    const error = await failure(house.daemon().disks.create(request, call()));
    assert.is(error.code, code);
    assert.equal(house.pools.commits, []);
  });
}

inHouse('a name that is taken is refused as existing, ours or not', async (house) => {
  const { disks, world } = house.daemon();
  await disks.create(thick(), call());
  assert.is((await failure(disks.create(thick(), call()))).code, 'core/disk-exists');
  const [pool] = (await world.storages[0]?.pools(call().signal)) ?? [];
  await pool?.change({ signal: call().signal }, (writer) =>
    writer.create({ name: 'byhand', size: MiB, notes: {}, format: 'raw', active: false }),
  );
  assert.is((await failure(disks.create(thick('byhand'), call()))).kind, 'exists');
  assert.is((await failure(disks.delete({ name: 'byhand', force: true }, call()))).code, 'core/disk-foreign');
});

inHouse('a bare name in two pools is ambiguous; pool/name is not', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call());
  await disks.create({ ...thick(), pool: 'other' }, call());
  const error = await failure(disks.show({ name: 'data' }, call()));
  assert.is(error.code, 'core/disk-ambiguous');
  assert.match(error.message, 'mem/data, other/data');
  assert.is((await disks.show({ name: 'other/data' }, call())).pool, 'other');
});

inHouse('repeating a creation with its request id gives the same disk and no commit', async (house) => {
  const { disks } = house.daemon();
  const first = await disks.create(thick(), call('r1'));
  const again = await house.daemon().disks.create(thick(), call('r1'));
  assert.is(again.id, first.id);
  assert.is(house.pools.commits.length, 1);
});

for (const how of ['fail', 'lose'] as const) {
  inHouse(
    `a creation whose last commit did ${how} is there once when it is repeated before anybody looks`,
    async (house) => {
      const { disks } = house.daemon({ at: 2, how });
      const create = () => disks.create(thin(), call('made'));
      assert.is((await failure(create())).kind, 'unavailable');
      assert.is((await create()).state, 'ready');
      assert.is((await disks.list({}, call())).length, 1);
      assert.equal([...house.pools.active], []);
    },
  );
}

inHouse('a request id that stood for something else is refused', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call('r1'));
  assert.is((await failure(disks.create(thick('other'), call('r1')))).code, 'core/request-reused');
});

inHouse('a delta repeated with its request id is applied once', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call());
  const grown = await disks.extend({ name: 'data', delta: 4n * MiB }, call('r2'));
  assert.is(grown.size, 12n * MiB);
  assert.is((await disks.extend({ name: 'data', delta: 4n * MiB }, call('r2'))).size, 12n * MiB);
  assert.is((await disks.extend({ name: 'data', delta: 4n * MiB }, call())).size, 16n * MiB);
});

inHouse('a deletion asked for twice at once by one request id is one', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call());
  await Promise.all([1, 2].map(() => disks.delete({ name: 'data', force: false }, call('r'))));
  assert.equal(house.pools.commits, ['create mem/data', 'remove mem/data']);
});

inHouse('a delta asked for twice at once by one request id is applied once', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call());
  const grown = await Promise.all([1, 2].map(() => disks.extend({ name: 'data', delta: 4n * MiB }, call('r'))));
  assert.equal(
    grown.map(({ size }) => size),
    [12n * MiB, 12n * MiB],
  );
});

inHouse('extending twice to the same size changes nothing; below it is refused', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call());
  await disks.extend({ name: 'data', size: 16n * MiB }, call());
  const commits = house.pools.commits.length;
  await disks.extend({ name: 'data', size: 16n * MiB }, call());
  assert.is(house.pools.commits.length, commits);
  assert.is((await failure(disks.extend({ name: 'data', size: 8n * MiB }, call()))).code, 'core/no-shrink');
  assert.is((await failure(disks.extend({ name: 'data' }, call()))).code, 'core/bad-size');
  assert.is((await failure(disks.extend({ name: 'data', size: GiB, delta: 1n }, call()))).code, 'core/bad-size');
});

inHouse("a thick disk's guest sees an extension; a thin disk's guest never does", async (house) => {
  const { disks } = house.daemon();
  const { on } = house.vms;
  await disks.create(thick(), call());
  await disks.create(thin(), call());
  await disks.attach({ disk: 'data', vm: 'web', readOnly: false }, call());
  await disks.attach({ disk: 'img', vm: 'web', readOnly: false }, call());
  on.capacity.set('vda', 8n * MiB).set('vdb', GiB);
  await disks.extend({ name: 'data', size: 16n * MiB }, call());
  await disks.extend({ name: 'img', size: 128n * MiB }, call());
  assert.is(on.capacity.get('vda'), 16n * MiB);
  assert.is(on.capacity.get('vdb'), GiB);
});

inHouse('resizing a thin disk at rest grows its image and leaves the volume', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thin(), call());
  const grown = await disks.resize({ name: 'img', virtualSize: 2n * GiB }, call());
  assert.is(grown.virtualSize, 2n * GiB);
  assert.is(grown.size, 64n * MiB);
  assert.is(house.pools.active.size, 0);
  assert.is((await failure(disks.resize({ name: 'img', virtualSize: GiB }, call()))).code, 'core/no-shrink');
});

inHouse('attach activates for a running VM and leaves it to the hook for one that is off', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick('a'), call());
  await disks.create(thick('b'), call());
  await disks.attach({ disk: 'a', vm: house.vms.on.uuid, readOnly: true }, call());
  await disks.attach({ disk: 'b', vm: 'db', readOnly: false }, call());
  assert.equal(
    [...house.pools.active].map((path) => path.split('/').at(-1)),
    ['a'],
  );
  const [b, a] = await disks.attachments({}, call());
  assert.equal([a?.disk, a?.vmName, a?.readOnly, a?.node, a?.target], ['a', 'web', true, 'n1', 'vda']);
  assert.equal([b?.disk, b?.vmName, b?.readOnly], ['b', 'db', false]);
});

inHouse('a disk has one VM and a VM has it once', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call());
  await disks.attach({ disk: 'data', vm: 'web', readOnly: false }, call('r3'));
  assert.is(
    (await failure(disks.attach({ disk: 'data', vm: 'web', readOnly: false }, call()))).code,
    'core/disk-attached',
  );
  assert.is(
    (await failure(disks.attach({ disk: 'data', vm: 'db', readOnly: false }, call()))).code,
    'core/disk-attached',
  );
  assert.is((await disks.attach({ disk: 'data', vm: 'web', readOnly: false }, call('r3'))).target, 'vda');
  assert.is(house.vms.on.disks.length, 1);
  assert.is((await failure(disks.delete({ name: 'data', force: false }, call()))).code, 'core/disk-attached');
});

inHouse('two attaches of one disk at the same instant: one wins', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call());
  const tries = ['web', 'db'].map((vm) => disks.attach({ disk: 'data', vm, readOnly: false }, call()));
  const outcomes = await Promise.allSettled(tries);
  assert.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.is(house.vms.on.disks.length + house.vms.off.disks.length, 1);
});

inHouse('what is not there is named as such', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call());
  assert.is(
    (await failure(disks.attach({ disk: 'data', vm: 'none', readOnly: false }, call()))).code,
    'core/vm-missing',
  );
  assert.is(
    (await failure(disks.attach({ disk: 'none', vm: 'web', readOnly: false }, call()))).code,
    'core/disk-missing',
  );
  assert.is((await failure(disks.detach({ disk: 'data', vm: 'web' }, call()))).code, 'core/attachment-missing');
  await disks.create(thick('second'), call());
  await disks.attach({ disk: 'data', vm: 'web', target: 'vdc', readOnly: false }, call());
  const taken = await failure(disks.attach({ disk: 'second', vm: 'web', target: 'vdc', readOnly: false }, call()));
  assert.is(taken.code, 'core/target-in-use');
  assert.is((await disks.show({ name: 'second' }, call())).state, 'ready');
});

inHouse('detach leaves the disk ready, inactive and free to be deleted', async (house) => {
  const { disks, events } = house.daemon();
  await disks.create(thin(), call());
  await disks.attach({ disk: 'img', vm: 'web', readOnly: false }, call());
  await disks.detach({ disk: 'img', vm: 'web' }, call('r4'));
  await disks.detach({ disk: 'img', vm: 'web' }, call('r4'));
  assert.is((await disks.show({ name: 'img' }, call())).state, 'ready');
  assert.is(house.pools.active.size, 0);
  await disks.delete({ name: 'img', force: false }, call('r5'));
  await disks.delete({ name: 'img', force: false }, call('r5'));
  assert.equal(await disks.list({}, call()), []);
  assert.equal(events, ['disk.created', 'disk.attached', 'disk.detached', 'disk.deleted']);
});

inHouse('a guest that keeps its device is waited for, and the detach ends when the VM is off', async (house) => {
  const { disks, reconcile } = house.daemon();
  const { on } = house.vms;
  await disks.create(thick(), call());
  await disks.attach({ disk: 'data', vm: 'web', readOnly: false }, call());
  on.isStubborn = true;
  assert.is((await failure(disks.detach({ disk: 'data', vm: 'web' }, call()))).code, 'core/detach-unanswered');
  await reconcile();
  assert.is((await disks.show({ name: 'data' }, call())).state, 'detaching');
  on.state = 'off';
  on.disks = [];
  const next = house.daemon();
  await next.start();
  assert.is((await next.disks.show({ name: 'data' }, call())).state, 'ready');
  assert.is(house.pools.active.size, 0);
});

inHouse('a disk that a hand took out of its VM is in conflict, and detach clears it', async (house) => {
  const { disks, reconcile } = house.daemon();
  await disks.create(thick(), call());
  await disks.attach({ disk: 'data', vm: 'web', readOnly: false }, call());
  house.vms.on.disks = [];
  await reconcile();
  assert.is((await disks.show({ name: 'data' }, call())).state, 'conflict', 'never freed by itself');
  await disks.detach({ disk: 'data', vm: 'web' }, call());
  assert.is((await disks.show({ name: 'data' }, call())).state, 'ready');
});

inHouse('delete with force detaches first', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call());
  await disks.attach({ disk: 'data', vm: 'web', readOnly: false }, call());
  await disks.delete({ name: 'data', force: true }, call());
  assert.equal(house.vms.on.disks, []);
  assert.equal(await disks.list({}, call()), []);
});

inHouse('while a guest keeps a disk, whoever wants it is told whom to wait for', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call());
  await disks.attach({ disk: 'data', vm: 'web', readOnly: false }, call());
  house.vms.on.isStubborn = true;
  const kept = await failure(disks.delete({ name: 'data', force: true }, call()));
  assert.equal([kept.code, kept.kind], ['core/detach-unanswered', 'timeout']);
  assert.match(kept.message, /so it is not deleted$/);
  assert.match(kept.hint ?? '', /; then delete it$/);
  for (const vm of ['web', 'db']) {
    const busy = await failure(disks.attach({ disk: 'data', vm, readOnly: false }, call()));
    assert.is(busy.code, 'core/disk-busy');
    assert.match(busy.hint ?? '', 'when the guest of web lets go of it, or the VM is off');
  }
});

inHouse('a thin disk whose first size nobody chose may begin smaller', async (house) => {
  const { disks, world } = house.daemon();
  const tight = disksOf({ ...world, thinInitialSize: 1024n * GiB });
  const refusal = await failure(tight.create(thin('img', 2048n * GiB), call()));
  assert.is(refusal.kind, 'exhausted');
  assert.match(refusal.hint ?? '', /^begin smaller, as with --size 1G/);
  const chosen = await failure(disks.create({ ...thin('img', 2048n * GiB), size: 1024n * GiB }, call()));
  assert.not.match(chosen.hint ?? '', 'begin smaller');
});

inHouse('a VM of which nobody has heard has no attachments to list', async (house) => {
  const { disks } = house.daemon();
  assert.equal(await disks.attachments({ vm: 'web' }, call()), []);
  assert.is((await failure(disks.attachments({ vm: 'wbe' }, call()))).code, 'core/vm-missing');
});

inHouse('a thick disk that its guest may only read grows without a word to the guest', async (house) => {
  const { disks } = house.daemon();
  await disks.create(thick(), call());
  await disks.attach({ disk: 'data', vm: 'web', readOnly: true }, call());
  house.vms.on.capacity.set('vda', 8n * MiB);
  assert.is((await disks.extend({ name: 'data', size: 16n * MiB }, call())).size, 16n * MiB);
  assert.is(house.vms.on.capacity.get('vda'), 8n * MiB);
});

for (const name of ['/data', 'mem/', '/', '']) {
  inHouse(`'${name}' names no disk`, async (house) => {
    assert.is((await failure(house.daemon().disks.show({ name }, call()))).code, 'core/bad-name');
  });
}

test.run();
