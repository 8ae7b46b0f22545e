// What a VG says of itself, and who may write to it because of that: on real lvm2.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Pool, Writer } from '../../../core/capabilities/storage.ts';
import { SltvError } from '../../../core/errors.ts';
import { createLocalLocks } from '../../../plugins/local-lock/locks.ts';
import { systemIdOf } from '../../../plugins/lvm/marks.ts';
import { createSharedLocks } from '../../fixtures/shared-locks.ts';
import { deviceNode, type LoopVg, loopVg, never, poolOf } from './fixture.ts';

const NEW = { name: 'a', size: 1n, notes: { v: ['1'] }, format: 'raw', active: false } as const;
const SHARED_TAGS = 'sltv:lock=memory/c1,sltv:member=host,sltv:v=1';

const change = <T>(pool: Pool, work: (writer: Writer) => Promise<T>) => pool.change({ signal: never }, work);
const write = (pool: Pool) => change(pool, (writer) => writer.volumes());
const share = async (pool: Pool) => pool.share?.(never);

async function errorOf(promise: Promise<unknown>): Promise<SltvError> {
  const error = await promise.then(
    () => assert.unreachable('it succeeded'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SltvError)) throw error;
  return error;
}

/** A VG that a daemon of this host, whose locks were its own, has made a pool. */
async function localPool(vg: LoopVg): Promise<void> {
  await write(await (await vg.open()).pool());
}

test('a domain of one host has no system ID, any other has one of its own, which LVM takes as it is', async () => {
  assert.is(systemIdOf('local/0123'), undefined);
  assert.is(systemIdOf('etcd/7f3a-1'), 'sltv-7f3a-1');
  await using vg = await loopVg();
  const odd = systemIdOf('other/a:b_c.d') ?? '';
  await vg.lvm('vgchange', '--yes', '--systemid', odd, vg.name);
  assert.is(await vg.vg('vg_systemid'), odd);
});

test('sharing gives a pool of this host to the cluster’s locks, and again costs nothing', async () => {
  await using vg = await loopVg();
  await localPool(vg);
  const pool = await (await vg.open({ locks: createSharedLocks() })).pool();
  const error = await errorOf(write(pool));
  assert.equal([error.code, error.hint], ['lvm/other-domain', `sltv pool share ${vg.name}`]);
  assert.is((await pool.facts(never)).isShared, false);
  const before = await vg.sequence();
  await share(pool);
  assert.equal(await Promise.all(['vg_tags', 'vg_systemid', 'vg_autoactivation'].map(vg.vg)), [
    SHARED_TAGS,
    'sltv-c1',
    '',
  ]);
  assert.is(await vg.sequence(), before + 2, 'lvm sets a system ID in a command of its own');
  await share(pool);
  await change(pool, (writer) => writer.create(NEW));
  assert.is(await vg.sequence(), before + 3);
  const { isShared, notes, readOnlyBecause } = await pool.facts(never);
  assert.equal([isShared, notes?.member, readOnlyBecause], [true, ['host'], undefined]);
});

test('a sharing that ended between its commits is ended by the next change', async () => {
  await using vg = await loopVg();
  await vg.lvm('vgchange', ...SHARED_TAGS.split(',').flatMap((tag) => ['--addtag', tag]), vg.name);
  await write(await (await vg.open({ locks: createSharedLocks() })).pool());
  assert.is(await vg.vg('vg_systemid'), 'sltv-c1');
});

test('what isn’t this host’s is not shared: by locks of one host, from another host’s, from another cluster’s', async () => {
  await using vg = await loopVg();
  await localPool(vg);
  const local = await errorOf(share(await (await vg.open()).pool()));
  assert.equal([local.code, local.kind], ['lvm/not-shareable', 'refused']);
  assert.match(local.hint ?? '', 'etcdLock');

  const anotherHosts = await errorOf(share(await (await vg.open({ host: 'b', locks: createSharedLocks() })).pool()));
  assert.equal([anotherHosts.code, anotherHosts.kind], ['lvm/other-domain', 'refused']);
  assert.match(anotherHosts.hint ?? '', 'for the host whose machine id that is; to share it, there: sltv pool share');

  await share(await (await vg.open({ locks: createSharedLocks() })).pool());
  for (const locks of [createSharedLocks('memory/c2'), createLocalLocks('host', never)]) {
    const pool = await (await vg.open({ locks })).pool();
    const sequence = await vg.sequence();
    for (const attempt of [share, write]) {
      const error = await errorOf(attempt(pool));
      assert.is(error.kind, 'refused');
    }
    assert.match((await pool.facts(never)).readOnlyBecause ?? '', 'locked by memory/c1');
    assert.is(await vg.sequence(), sequence);
  }
});

test('a VG that only its system ID gives to another cluster is seen, and refused with a sentence', async () => {
  await using vg = await loopVg();
  await vg.lvm('vgchange', '--yes', '--systemid', 'sltv-c2', vg.name);
  for (const locks of [createSharedLocks(), createLocalLocks('host', never)]) {
    const pool = await (await vg.open({ locks })).pool();
    const error = await errorOf(write(pool));
    assert.equal([error.code, error.message.includes('sltv-c2')], ['lvm/other-domain', true]);
  }
});

test('stock lvm may read a shared VG, when it asks for foreign ones, and writes nothing to it', async () => {
  await using vg = await loopVg();
  await change(await (await vg.open({ locks: createSharedLocks() })).pool(), (writer) => writer.create(NEW));
  const sequence = await vg.sequence();
  const LV = `${vg.name}/a`;
  for (const words of [
    ['lvcreate', '-an', '-Zn', '-Wn', '-l1', '-n', 'b', vg.name],
    ['lvextend', '-l+1', LV],
    ['lvremove', '-y', LV],
    ['lvchange', '--addtag', 'x', LV],
    ['lvchange', '-ay', LV],
    ['vgchange', '--addtag', 'x', vg.name],
    ['vgremove', '-ff', '-y', vg.name],
  ]) {
    assert.match(await vg.lvm(...words).catch(String), /with system ID sltv-c1/, words.join(' '));
  }
  assert.is(await vg.sequence(), sequence);
  assert.match(await vg.lvm('lvs', '--foreign', '--noheadings', '-o', 'lv_name', vg.name), /^\s+a\s+$/);
});

test('a host’s own system ID stays its own, and its own VGs are shared like any other', async () => {
  await using vg = await loopVg();
  const conf = 'global { system_id_source="lvmlocal" }\nlocal { system_id="this-host" }';
  const local = await vg.open({ conf });
  await vg.lvm('vgchange', '--yes', '--systemid', 'this-host', vg.name);
  await change(await local.pool(), (writer) => writer.create(NEW));
  assert.is(await vg.vg('vg_systemid'), 'this-host');
  const pool = await (await vg.open({ conf, locks: createSharedLocks() })).pool();
  await share(pool);
  assert.is(await vg.vg('vg_systemid'), 'sltv-c1');
  await change(pool, (writer) => writer.extend('a', 5_000_000n));
  assert.is((await vg.lvm('systemid')).trim(), 'system ID: this-host');
});

test('each node that writes is a member from its first commit on, and costs one for that', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  await write(await (await vg.open({ locks })).pool());
  const other = await (await vg.open({ host: 'b', locks })).pool();
  const before = await vg.sequence();
  for (const _ of ['first', 'again']) await write(other);
  assert.is(await vg.sequence(), before + 1);
  assert.equal((await other.facts(never)).notes?.member?.toSorted(), ['b', 'host']);
});

test('a pool that is made in a cluster is shared from the first moment', async () => {
  await using vg = await loopVg({ vg: false });
  const { storage } = await vg.open({ locks: createSharedLocks() });
  await storage.createPool({ name: vg.name, devices: vg.devices }, never);
  assert.equal(await Promise.all(['vg_tags', 'vg_systemid', 'vg_seqno'].map(vg.vg)), [SHARED_TAGS, 'sltv-c1', '1']);
  await change(await poolOf(storage, vg.name), (writer) => writer.create(NEW));
  assert.is(await vg.sequence(), 2);
});

test('a VG in which this host uses volumes of its own is not shared', async () => {
  await using vg = await loopVg();
  await vg.lvm('lvcreate', '-an', '-Zn', '-Wn', '-l1', '-n', 'root', vg.name);
  const pool = await (await vg.open({ locks: createSharedLocks() })).pool();
  const sequence = await vg.sequence();
  {
    await using _root = await deviceNode(vg, 'root', vg.devices[0] ?? '');
    for (const attempt of [share, write]) {
      const error = await errorOf(attempt(pool));
      assert.equal([error.code, error.message.includes('root')], ['lvm/foreign-active', true]);
    }
    assert.is(await vg.sequence(), sequence);
  }
  await share(pool);
});

test('a node that is fenced writes nothing in that boot, and says so; in another it may', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const a = await (await vg.open({ locks })).pool();
  const b = await (await vg.open({ host: 'b', locks })).pool();
  await write(b);
  await change(a, async (writer) => writer.annotatePool?.({ add: { fenced: ['b/an-older-boot'] } }));
  await write(b);
  await change(a, async (writer) => writer.annotatePool?.({ add: { fenced: ['b/boot-of-b'] } }));
  const error = await errorOf(write(b));
  assert.equal([error.code, error.kind, error.hint?.slice(0, 16)], ['lvm/fenced', 'refused', 'reboot this host']);
  assert.is((await b.facts(never)).readOnlyBecause, error.message);
  assert.is((await errorOf(b.accept?.(never) ?? Promise.resolve())).code, 'lvm/fenced');
  await write(a);
});

test('notes of a pool are one commit, or none when it is so already', async () => {
  await using vg = await loopVg();
  const pool = await (await vg.open()).pool();
  await write(pool);
  await vg.lvm('vgchange', '--addtag', 'not-ours', vg.name);
  const annotate = () =>
    change(pool, async (writer) => writer.annotatePool?.({ add: { fenced: ['n/b', 'größe'] }, drop: { gone: ['1'] } }));
  const before = await vg.sequence();
  for (const _ of ['first', 'again']) await annotate();
  assert.is(await vg.sequence(), before + 1);
  assert.equal((await pool.facts(never)).notes?.fenced?.toSorted(), ['größe', 'n/b']);
  await change(pool, async (writer) => writer.annotatePool?.({ drop: { fenced: ['größe'] } }));
  assert.is(await vg.vg('vg_tags'), 'not-ours,sltv:fenced=n/b,sltv:lock=local/host,sltv:v=1');
});

test.run();
