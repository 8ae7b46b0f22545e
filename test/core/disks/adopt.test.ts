import { execFile } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Adoption, Disk } from '../../../core/capabilities/disks.ts';
import type { Format, Pool, Volume } from '../../../core/capabilities/storage.ts';
import { GiB, MiB } from '../../../core/units.ts';
import type { MemoryVm } from '../../fixtures/memory-hypervisor.ts';
import type { Fault } from '../../fixtures/memory-storage.ts';
import { call, type Daemon, failure, type House, makeHouse } from './house.ts';

const execute = promisify(execFile);
function unexpected(): never {
  throw new Error('this is not as the test needs it');
}

const test = suite('adopting');
const inHouse = (title: string, work: (house: House) => Promise<void>) =>
  test(title, async () => {
    await using house = await makeHouse({ source: 'block' });
    await work(house);
  });

async function poolIn(daemon: Daemon, name = 'mem'): Promise<Pool> {
  const pools = (await daemon.world.storages[0]?.pools(call().signal)) ?? [];
  return pools.find((pool) => pool.name === name) ?? unexpected();
}

/** A volume made by hand, with an image of this size on it, or some other bytes. */
async function byHand(house: House, name: string, content?: bigint | string, pool = 'mem'): Promise<Volume> {
  const where = await poolIn(house.daemon(), pool);
  const made = await where.change({ signal: call().signal }, (writer) =>
    writer.create({ name, size: 64n * MiB, notes: {}, format: 'raw', active: content !== undefined }),
  );
  if (typeof content === 'bigint')
    await execute('qemu-img', ['create', '-q', '-f', 'qcow2', made.path, String(content)]);
  if (typeof content === 'string') await writeFile(made.path, content, { flag: 'r+' });
  if (content !== undefined) await where.deactivate(name, call().signal);
  return made;
}

/** A VM has had it since before there was sltv. */
async function inVm(house: House, vm: MemoryVm, volume: Volume, format: Format, path = volume.path): Promise<void> {
  vm.disks.push({ target: 'vdb', path, format, readOnly: false, live: vm.state !== 'off', persistent: true });
  if (vm.state !== 'off') await (await poolIn(house.daemon())).activate(volume.name, call().signal);
  if (vm.state !== 'off') house.pools.held.add(volume.path);
}

const only = async (adopting: Promise<readonly Adoption[]>): Promise<{ disk: Disk; because: string }> => {
  const [adoption] = await adopting;
  return adoption && !adoption.refusal ? adoption : unexpected();
};

const notesOf = (house: House, name: string, pool = 'mem') => house.pools.pools.get(pool)?.get(name)?.notes;

inHouse(
  'a volume that no VM has, and that begins like nothing, is a thick disk afterwards, inactive',
  async (house) => {
    await byHand(house, 'hand');
    const { disks, events } = house.daemon();
    const { disk, because } = await only(disks.adopt({ name: 'hand' }, call()));
    assert.equal([disk.mode, disk.size, disk.virtualSize, disk.state], ['thick', 64n * MiB, 64n * MiB, 'ready']);
    assert.match(because, /^raw: no VM has it/);
    assert.equal(house.pools.commits, ['create mem/hand', 'adopt mem/hand', 'annotate mem/hand']);
    assert.equal(events, ['disk.adopted']);
    assert.is(house.pools.active.size, 0);
    await disks.attach({ disk: 'hand', vm: 'web', readOnly: false }, call());
  },
);

inHouse(
  'one that begins like an image, and that no VM has, is left alone: a guest may have written that',
  async (house) => {
    const volume = await byHand(house, 'hand', GiB);
    const { disks } = house.daemon();
    const error = await failure(disks.adopt({ name: 'mem/hand' }, call()));
    assert.is(error.code, 'core/format-unclear');
    assert.match(error.hint ?? '', '--format qcow2');
    assert.equal(notesOf(house, 'hand'), {});
    assert.not.ok(house.pools.active.has(volume.path));
    const { disk } = await only(disks.adopt({ name: 'hand', format: 'qcow2' }, call()));
    assert.equal([disk.mode, disk.virtualSize, disk.size], ['thin', GiB, 64n * MiB]);
  },
);

inHouse('what is said to be raw is not even read', async (house) => {
  await byHand(house, 'hand', GiB);
  const { disk, because } = await only(house.daemon().disks.adopt({ name: 'hand', format: 'raw' }, call()));
  assert.equal([disk.mode, disk.virtualSize, because], ['thick', 64n * MiB, 'raw, as you say']);
});

inHouse('a running VM keeps its disk, which is as the VM has it, under whatever name', async (house) => {
  const { on } = house.vms;
  const volume = await byHand(house, 'hand', GiB);
  await inVm(house, on, volume, 'qcow2', volume.alsoAt?.[0]);
  const { disks } = house.daemon();
  const { disk, because } = await only(disks.adopt({ name: 'hand' }, call()));
  assert.equal([disk.mode, disk.virtualSize, disk.state, disk.owner?.target], ['thin', GiB, 'owned', 'vdb']);
  assert.is(because, 'qcow2, as web has it');
  assert.ok(house.pools.active.has(volume.path), 'it was never taken away from its guest');
  assert.equal(notesOf(house, 'hand')?.on, ['n1/b1']);
  const [attachment] = await disks.attachments({ vm: 'web' }, call());
  assert.equal([attachment?.disk, attachment?.target, attachment?.node], ['hand', 'vdb', 'n1']);
  assert.is((await disks.show({ name: 'hand' }, call())).state, 'owned', 'the VM is found to have it');
});

inHouse('a raw disk of a VM stays raw, whatever its guest wrote into it', async (house) => {
  await inVm(house, house.vms.on, await byHand(house, 'hand', GiB), 'raw');
  const { disk } = await only(house.daemon().disks.adopt({ name: 'hand' }, call()));
  assert.equal([disk.mode, disk.virtualSize], ['thick', 64n * MiB]);
});

inHouse('a VM that is off owns its disk, which sleeps until the start', async (house) => {
  const volume = await byHand(house, 'hand');
  await inVm(house, house.vms.off, volume, 'raw');
  const { disks } = house.daemon();
  const { disk } = await only(disks.adopt({ name: volume.path }, call()));
  assert.equal([disk.owner?.vmName, disk.state], ['db', 'owned']);
  assert.is(house.pools.active.size, 0);
  await disks.detach({ disk: 'hand', vm: 'db' }, call());
  assert.equal(house.vms.off.disks, []);
});

inHouse('by a name that may be another volume tomorrow no attachment is kept: the person is told', async (house) => {
  const volume = await byHand(house, 'hand');
  const odd = join(dirname(dirname(volume.path)), 'dm-7');
  await inVm(house, house.vms.on, volume, 'raw', odd);
  await symlink(volume.path, odd);
  const error = await failure(house.daemon().disks.adopt({ name: 'hand' }, call()));
  assert.is(error.code, 'core/source-unstable');
  assert.equal(notesOf(house, 'hand'), {});
});

for (const [title, format, asked, code] of [
  ['raw, and the administrator says qcow2', 'raw', 'qcow2', 'core/format-unclear'],
  ['qcow2, and the administrator says raw', 'qcow2', 'raw', 'core/format-unclear'],
  ['qcow2, and it is none', 'qcow2', undefined, 'core/image-unsafe'],
] as const) {
  inHouse(`a VM has it as ${title}: refused, and all is as before`, async (house) => {
    const volume = await byHand(house, 'hand', 'plain');
    await inVm(house, house.vms.on, volume, format);
    const error = await failure(house.daemon().disks.adopt({ name: 'hand', format: asked }, call()));
    assert.is(error.code, code);
    assert.equal(notesOf(house, 'hand'), {});
    assert.ok(house.pools.active.has(volume.path));
  });
}

inHouse('two VMs that have one volume are for a person to part', async (house) => {
  const volume = await byHand(house, 'hand');
  await inVm(house, house.vms.on, volume, 'raw');
  await inVm(house, house.vms.off, volume, 'raw');
  assert.is((await failure(house.daemon().disks.adopt({ name: 'hand' }, call()))).code, 'core/disk-attached');
});

inHouse('an image that names a file of this host is no disk, and nothing opens that file', async (house) => {
  const secret = join(house.pools.directory, 'secret');
  await writeFile(secret, 'x'.repeat(512));
  const volume = await byHand(house, 'hand', GiB);
  const image = join(house.pools.directory, 'image');
  await execute('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', secret, '-F', 'raw', image]);
  await (await poolIn(house.daemon())).activate('hand', call().signal);
  await writeFile(volume.path, await readFile(image), { flag: 'r+' });
  const error = await failure(house.daemon().disks.adopt({ name: 'hand', format: 'qcow2' }, call()));
  assert.is(error.code, 'core/image-unsafe');
  assert.match(error.message, 'backing file');
  assert.equal(notesOf(house, 'hand'), {});
});

inHouse('what somebody has open that is no VM is refused, and what was active stays so', async (house) => {
  const volume = await byHand(house, 'hand', 'plain');
  await (await poolIn(house.daemon())).activate('hand', call().signal);
  {
    using _open = house.pools.hold(volume);
    assert.is((await failure(house.daemon().disks.adopt({ name: 'hand' }, call()))).kind, 'busy');
  }
  await writeFile(volume.path, await image(house), { flag: 'r+' });
  assert.is((await failure(house.daemon().disks.adopt({ name: 'hand' }, call()))).code, 'core/format-unclear');
  assert.ok(house.pools.active.has(volume.path), 'as it was before');
});

async function image(house: House): Promise<Buffer> {
  const path = join(house.pools.directory, 'image');
  await execute('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1G']);
  return await readFile(path);
}

inHouse('an adoption that fails at its first commit leaves active what was', async (house) => {
  const volume = await byHand(house, 'hand', 'plain');
  await (await poolIn(house.daemon())).activate('hand', call().signal);
  assert.is(
    (await failure(house.daemon({ at: 1, how: 'fail' }).disks.adopt({ name: 'hand' }, call()))).kind,
    'unavailable',
  );
  assert.ok(house.pools.active.has(volume.path));
});

inHouse('what is a disk already, is not there, or is in two pools is said to be so', async (house) => {
  const { disks } = house.daemon();
  await disks.create({ name: 'ours', mode: 'thick', size: MiB }, call());
  await byHand(house, 'twice');
  await byHand(house, 'twice', undefined, 'other');
  const codeOf = async (name: string, pool?: string) => (await failure(disks.adopt({ name, pool }, call()))).code;
  assert.is(await codeOf('ours'), 'core/disk-exists');
  assert.is(await codeOf('none'), 'core/disk-missing');
  assert.is(await codeOf('mem/none'), 'core/disk-missing');
  assert.is(await codeOf('none', 'mem'), 'core/disk-missing');
  assert.is(await codeOf('nopool/x'), 'core/pool-missing');
  assert.is(await codeOf('mem/twice', 'other'), 'core/input');
  assert.is(await codeOf('twice'), 'core/disk-ambiguous');
  assert.is((await only(disks.adopt({ name: 'twice', pool: 'other' }, call()))).disk.pool, 'other');
});

inHouse('a name that we would not give is kept, and works', async (house) => {
  const name = `old.1.${'x'.repeat(80)}.7`;
  await byHand(house, name);
  const { disks } = house.daemon();
  await only(disks.adopt({ name: `mem/${name}` }, call()));
  assert.is((await disks.extend({ name, delta: 4n * MiB }, call())).size, 68n * MiB);
  await disks.attach({ disk: name, vm: 'web', readOnly: false }, call());
});

inHouse('all of a pool: what can be is, the rest is told with its reason; again tells the same', async (house) => {
  const { disks } = house.daemon();
  await disks.create({ name: 'ours', mode: 'thick', size: MiB }, call());
  await byHand(house, 'plain');
  await byHand(house, 'unclear', GiB);
  await inVm(house, house.vms.on, await byHand(house, 'used', GiB), 'qcow2');
  await byHand(house, 'elsewhere', undefined, 'other');
  const told = async (id: string) =>
    (await house.daemon().disks.adopt({ pool: 'mem' }, call(id))).map((each) =>
      each.refusal ? `${each.name}: ${each.refusal.code}` : `${each.disk.name}: ${each.disk.mode}`,
    );
  const first = ['plain: thick', 'unclear: core/format-unclear', 'used: thin'];
  assert.equal(await told('r1'), first);
  const commits = house.pools.commits.length;
  // What was refused is tried again, and undone again.
  assert.equal(await told('r1'), first);
  assert.equal(house.pools.commits.slice(commits), ['adopt mem/unclear', 'release mem/unclear']);
  assert.equal(await told('r2'), ['unclear: core/format-unclear']);
});

inHouse('repeated with its request id, an adoption is the same disk and no commit', async (house) => {
  await byHand(house, 'hand');
  const first = await only(house.daemon().disks.adopt({ name: 'hand' }, call('r1')));
  const commits = house.pools.commits.length;
  const again = await only(house.daemon().disks.adopt({ name: 'hand' }, call('r1')));
  assert.is(again.disk.id, first.disk.id);
  assert.is(house.pools.commits.length, commits);
  assert.is((await failure(house.daemon().disks.adopt({ name: 'hand' }, call('r2')))).code, 'core/disk-exists');
});

for (const how of ['fail', 'lose', 'die-before', 'die-after'] as const) {
  for (const vm of [undefined, 'on', 'off'] as const) {
    const whose = vm === undefined ? 'nobody' : `a VM that is ${vm}`;
    test(`an adoption of what ${whose} has ends whole or not at all: ${how}, at every commit`, async () => {
      for (const at of [1, 2]) await crashAt({ at, how }, vm);
    });
  }
}

async function crashAt(fault: Fault, which: 'on' | 'off' | undefined): Promise<void> {
  await using house = await makeHouse({ source: 'block' });
  const volume = await byHand(house, 'hand', GiB);
  if (which) await inVm(house, house.vms[which], volume, 'qcow2');
  const isActive = which === 'on';
  const asked = { name: 'hand', format: 'qcow2' } as const;
  const outcome = await house
    .daemon(fault)
    .disks.adopt(asked, call('it'))
    .then(() => 'ended well', String);
  const where = `${fault.how} at ${fault.at}: ${outcome}`;
  const next = house.daemon();
  await next.start();
  const [left] = await next.disks.list({}, call());
  assert.ok(left === undefined || left.state === (which ? 'owned' : 'ready'), `${where}: ${left?.state}`);
  if (!left) assert.equal(notesOf(house, 'hand'), {}, where);
  assert.is(house.pools.active.has(volume.path), isActive, where);
  const { disk } = await only(next.disks.adopt(asked, call('it')));
  assert.equal([disk.mode, disk.virtualSize, disk.state], ['thin', GiB, which ? 'owned' : 'ready'], where);
  assert.is(house.pools.active.has(volume.path), isActive, where);
}

inHouse('an adoption that a crash left is taken back with what was active', async (house) => {
  const volume = await byHand(house, 'hand', 'plain');
  await (await poolIn(house.daemon())).activate('hand', call().signal);
  await house
    .daemon({ at: 1, how: 'die-after' })
    .disks.adopt({ name: 'hand' }, call())
    .catch(() => {});
  assert.is((await house.daemon().disks.list({}, call()))[0]?.state, 'adopting');
  await house.daemon().start();
  assert.equal(notesOf(house, 'hand'), {});
  assert.ok(house.pools.active.has(volume.path));
});

test.run();
