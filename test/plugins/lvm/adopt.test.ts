// Volumes that somebody else made, and VGs of hosts that are gone: on real lvm2.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Pool, Writer } from '../../../core/capabilities/storage.ts';
import { asSltvError } from '../../../core/errors.ts';
import { createLocalLocks } from '../../../plugins/local-lock/locks.ts';
import { createSharedLocks } from '../../fixtures/shared-locks.ts';
import { type LoopVg, loopVg, never } from './fixture.ts';

const change = <T>(pool: Pool, work: (writer: Writer) => Promise<T>) => pool.change({ signal: never }, work);
const adopt = (pool: Pool, name: string) =>
  change(pool, async (writer) => writer.adopt?.(name, { notes: { v: ['1'], disk: ['d'] }, isInUse: false }));
const release = (pool: Pool, name: string) => change(pool, async (writer) => writer.release?.(name));

async function errorOf(work: Promise<unknown>) {
  return await work.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => asSltvError(error),
  );
}

async function byHand(vg: LoopVg, name: string, ...more: string[]): Promise<void> {
  await vg.lvm('lvcreate', '-an', '-Zn', '-Wn', '-L', '4m', '-n', name, ...more, vg.name);
}

const told = async (vg: LoopVg, name: string) =>
  (
    await vg.lvm('lvs', '--noheadings', '--separator', ' ', '-o', 'lv_autoactivation,lv_tags', `${vg.name}/${name}`)
  ).trim();

test('adopting is one commit, after which nothing but sltv activates the volume; releasing is one that undoes it', async () => {
  await using vg = await loopVg();
  await byHand(vg, 'hand', '--addtag', 'backup=daily');
  const pool = await (await vg.open()).pool();
  await change(pool, async () => {});
  const before = await vg.sequence();
  const adopted = await adopt(pool, 'hand');
  assert.equal(adopted?.notes, { v: ['1'], disk: ['d'] });
  assert.is(await told(vg, 'hand'), 'backup=daily,sltv:disk=d,sltv:v=1');
  assert.is(await vg.sequence(), before + 1);
  await release(pool, 'hand');
  assert.is(await told(vg, 'hand'), 'enabled backup=daily');
  assert.is(await vg.sequence(), before + 2);
  await release(pool, 'hand');
  assert.is(await vg.sequence(), before + 2, 'again costs nothing');
});

test('striped volumes are adopted, and names that no new disk may have', async () => {
  await using vg = await loopVg({ sizes: [64, 64] });
  await vg.lvm('vgextend', vg.name, vg.devices[1] ?? '');
  const long = `old.7-${'x'.repeat(80)}`;
  await vg.lvm('lvcreate', '-an', '-Zn', '-Wn', '-i2', '-L', '8m', '-n', long, vg.name);
  const pool = await (await vg.open()).pool();
  const volume = await adopt(pool, long);
  assert.is(volume?.path, `/dev/${vg.name}/${long}`);
  assert.ok(volume?.alsoAt?.includes(`/dev/mapper/${vg.name.replaceAll('-', '--')}-${long.replaceAll('-', '--')}`));
});

test('what is read-only is not adopted, and no tag is written', async () => {
  await using vg = await loopVg();
  await byHand(vg, 'fixed', '--permission', 'r');
  const pool = await (await vg.open()).pool();
  const error = await errorOf(adopt(pool, 'fixed'));
  assert.is(error.code, 'lvm/not-adoptable');
  assert.match(error.hint ?? '', 'lvchange --permission rw');
  assert.is(await told(vg, 'fixed'), 'enabled');
});

test('a VG of a host that is gone is taken: its disks first, its domain last, so that a take can be begun again', async () => {
  await using vg = await loopVg();
  const old = await (await vg.open({ host: 'old', locks: createLocalLocks('old', never) })).pool();
  await change(old, (writer) =>
    writer.create({ name: 'a', size: 1n, notes: { v: ['1'], on: ['old/b'] }, format: 'raw', active: false }),
  );
  const pool = await (await vg.open({ vgs: [], locks: createLocalLocks('new', never) })).pool();
  const refused = await errorOf(change(pool, async () => {}));
  assert.equal([refused.code, refused.hint?.includes(`sltv pool take ${vg.name}`)], ['lvm/other-domain', true]);

  const interrupted = await errorOf(
    pool.take?.(never, async (writer) => {
      await writer.annotate('a', { drop: { on: ['old/b'] } });
      throw new Error('a crash');
    }) ?? Promise.resolve(),
  );
  assert.match(interrupted.message, 'a crash');
  assert.match(await vg.vg('vg_tags'), 'sltv:lock=local/old');
  const seen: unknown[] = [];
  const take = () => pool.take?.(never, async (writer) => void seen.push((await writer.find('a'))?.notes));
  await take();
  assert.equal(seen, [{ v: ['1'] }]);
  assert.is(await vg.vg('vg_tags'), 'sltv:lock=local/new,sltv:v=1');
  const before = await vg.sequence();
  await take();
  assert.equal([seen.length, await vg.sequence()], [1, before], 'ours already');
  await change(pool, async () => {});
  assert.is((await errorOf(change(old, async () => {}))).code, 'lvm/other-domain');
});

test('a VG that was freed of its locks by hand is taken; one of a cluster is not', async () => {
  await using vg = await loopVg();
  const shared = await (await vg.open({ host: 'old', locks: createSharedLocks() })).pool();
  await change(shared, async () => {});
  const pool = await (await vg.open({ vgs: [], locks: createLocalLocks('new', never) })).pool();
  const take = () => pool.take?.(never, async () => {}) ?? Promise.resolve();
  assert.is((await errorOf(take())).code, 'lvm/other-domain');
  const config = 'global { system_id_source="lvmlocal" } local { system_id="sltv-c1" }';
  await vg.lvm('vgchange', '--config', config, '--yes', '--systemid', '', vg.name);
  await vg.lvm('vgchange', '--deltag', 'sltv:lock=memory/c1', vg.name);
  const error = await errorOf(change(pool, async () => {}));
  assert.equal([error.code, error.hint?.includes('sltv pool take')], ['lvm/read-only', true]);
  await take();
  await change(pool, async () => {});
  assert.match(await vg.vg('vg_tags'), 'sltv:lock=local/new');
});

test('a cluster takes the VG of a host that is gone, and shares it by that', async () => {
  await using vg = await loopVg();
  const old = await (await vg.open({ host: 'old', locks: createLocalLocks('old', never) })).pool();
  await change(old, async () => {});
  const pool = await (await vg.open({ vgs: [], locks: createSharedLocks() })).pool();
  await pool.take?.(never, async () => {});
  assert.is((await pool.facts(never)).isShared, true);
  await change(pool, async () => {});
});

test.run();
