// What each operation costs: commands started, and commits made.
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Pool, Writer } from '../../../core/capabilities/storage.ts';
import { fifo, type LoopVg, loopVg, MEBIBYTE, never, type Opened, shim } from './fixture.ts';

const EXTENT = 4n * BigInt(MEBIBYTE);
const NEW = { name: 'a', size: EXTENT, notes: { v: ['1'], disk: ['d1'] }, format: 'raw', active: false } as const;

const change = <T>(pool: Pool, work: (writer: Writer) => Promise<T>) => pool.change({ signal: never }, work);

/** A pool that is marked and known already, and what a piece of work costs on it. */
async function atWork(
  vg: LoopVg,
): Promise<{ pool: Pool; opened: Opened; cost: (work: () => Promise<unknown>) => Promise<Cost> }> {
  const opened = await vg.open();
  const pool = await opened.pool();
  await change(pool, (writer) => writer.volumes());
  await pool.volumes(never);
  const cost = async (work: () => Promise<unknown>) => {
    const before = await vg.sequence();
    opened.take();
    await work();
    return { commands: opened.take(), commits: (await vg.sequence()) - before };
  };
  return { pool, opened, cost };
}
interface Cost {
  readonly commands: string[];
  readonly commits: number;
}

test('create is one commit and one report', async () => {
  await using vg = await loopVg();
  const { pool, cost } = await atWork(vg);
  const create = () => change(pool, (writer) => writer.create(NEW));
  assert.equal(await cost(create), { commands: ['lvm lvcreate', 'lvm fullreport'], commits: 1 });
});

test('extend is one commit and one report; to a size that is reached it is nothing', async () => {
  await using vg = await loopVg();
  const { pool, cost } = await atWork(vg);
  await change(pool, (writer) => writer.create(NEW));
  const extend = () => change(pool, (writer) => writer.extend('a', EXTENT + 1n));
  assert.equal(await cost(extend), { commands: ['lvm lvextend', 'lvm fullreport'], commits: 1 });
  assert.equal(await cost(extend), { commands: [], commits: 0 });
  assert.equal(await cost(() => change(pool, (writer) => writer.extend('a', 1n))), { commands: [], commits: 0 });
});

test('an extension that another process of this host was first with is done: what counts is what the volume has', async () => {
  for (const extents of [3, 5]) {
    await using vg = await loopVg();
    // Between our look and our command, as another's turn on the same host can be.
    const first = `case "$*" in lvextend*) $LVM lvextend -q -l ${extents} ${vg.name}/a;; esac; exec $LVM "$@"`;
    const pool = await (await vg.open({ env: await shim(vg.directory, first) })).pool();
    await change(pool, (writer) => writer.create(NEW));
    const before = await vg.sequence();
    const { size } = await change(pool, (writer) => writer.extend('a', 3n * EXTENT));
    assert.is(size, BigInt(extents) * EXTENT);
    assert.is((await vg.sequence()) - before, 1, 'theirs');
  }
});

test('annotate is one commit for any number of notes, without a report; again it is nothing', async () => {
  await using vg = await loopVg();
  const { pool, cost } = await atWork(vg);
  await change(pool, (writer) => writer.create(NEW));
  const annotate = () =>
    change(pool, (writer) => writer.annotate('a', { add: { op: ['x'], on: ['n/b'] }, drop: { disk: ['d1'] } }));
  assert.equal(await cost(annotate), { commands: ['lvm lvchange'], commits: 1 });
  assert.equal(await cost(annotate), { commands: [], commits: 0 });
  assert.equal(await cost(() => pool.volumes(never)), { commands: [], commits: 0 });
});

test('a note and an activation are one command and one commit', async () => {
  await using vg = await loopVg();
  const { pool, cost } = await atWork(vg);
  await change(pool, (writer) => writer.create(NEW));
  const activate = () => change(pool, (writer) => writer.annotate('a', { add: { on: ['n/b'] }, activate: true }));
  assert.equal(await cost(activate), { commands: ['lvm lvchange'], commits: 1 });
});

test('remove is one commit, and of what is gone nothing', async () => {
  await using vg = await loopVg();
  const { pool, cost } = await atWork(vg);
  await change(pool, (writer) => writer.create(NEW));
  const remove = () => change(pool, (writer) => writer.remove('a'));
  assert.equal(await cost(remove), { commands: ['lvm lvremove'], commits: 1 });
  await pool.volumes(never);
  assert.equal(await cost(remove), { commands: [], commits: 0 });
});

test('after a removal the report begins behind the answer, and the next who asks shares it', async () => {
  await using vg = await loopVg();
  const begun = await fifo(`${vg.directory}/begun`);
  const opened = await vg.open({
    env: await shim(
      vg.directory,
      `[ $1$(cat ${vg.directory}/watched) = fullreport ] && echo >${begun.path}; exec $LVM "$@"`,
    ),
  });
  const pool = await opened.pool();
  await writeFile(`${vg.directory}/watched`, 'not yet');
  await change(pool, (writer) => writer.create(NEW));
  await writeFile(`${vg.directory}/watched`, '');
  opened.take();
  await change(pool, (writer) => writer.remove('a'));
  await begun.heard();
  assert.equal(await pool.volumes(never), []);
  assert.equal(opened.take(), ['lvm lvremove', 'lvm fullreport']);
});

test('nothing is read again while the metadata’s header stays the same', async () => {
  await using vg = await loopVg();
  const { pool, cost } = await atWork(vg);
  await change(pool, (writer) => writer.create(NEW));
  const reading = async () => {
    await pool.volumes(never);
    await pool.facts(never);
    await change(pool, (writer) => writer.find('a'));
    await change(pool, (writer) => writer.volumes());
  };
  assert.equal(await cost(reading), { commands: [], commits: 0 });
});

test('somebody else’s commit is seen at once, by one report that all who ask share', async () => {
  await using vg = await loopVg();
  const { pool, cost } = await atWork(vg);
  await vg.lvm('lvcreate', '-an', '-Zn', '-Wn', '-L4m', '-n', 'theirs', vg.name);
  const reading = async () => {
    const answers = await Promise.all([pool.volumes(never), pool.volumes(never), pool.volumes(never)]);
    for (const volumes of answers)
      assert.equal(
        volumes.map(({ name, notes }) => [name, notes]),
        [['theirs', {}]],
      );
  };
  assert.equal((await cost(reading)).commands, ['lvm fullreport']);
});

test('another’s commit between our own two is never taken for ours', async () => {
  await using vg = await loopVg();
  const { pool } = await atWork(vg);
  const volume = await change(pool, async (writer) => {
    await writer.create(NEW);
    await vg.lvm('lvchange', '--addtag', 'sltv:theirs=1', `${vg.name}/a`);
    return writer.annotate('a', { add: { ours: ['1'] } });
  });
  assert.equal(volume.notes, { v: ['1'], disk: ['d1'], theirs: ['1'], ours: ['1'] });
});

test('the VG is marked by its first change, in one commit', async () => {
  await using vg = await loopVg();
  const opened = await vg.open();
  const pool = await opened.pool();
  const before = await vg.sequence();
  await pool.volumes(never);
  assert.is(await vg.vg('vg_tags'), '');
  for (const _ of ['first', 'again']) await change(pool, (writer) => writer.volumes());
  assert.is(await vg.vg('vg_tags'), 'sltv:lock=local/host,sltv:v=1');
  assert.is(await vg.vg('vg_autoactivation'), '');
  assert.is(await vg.sequence(), before + 1);
});

test('a VG that held volumes before keeps auto-activating them', async () => {
  await using vg = await loopVg();
  await vg.lvm('lvcreate', '-an', '-Zn', '-Wn', '-L4m', '-n', 'root', vg.name);
  const { pool } = await atWork(vg);
  await change(pool, (writer) => writer.create(NEW));
  assert.is(await vg.vg('vg_autoactivation'), 'enabled');
  const rows = await vg.lvm('lvs', '--noheadings', '-o', 'lv_name,lv_autoactivation', vg.name);
  assert.equal(rows.trim().split(/\s+/), ['a', 'root', 'enabled']);
});

test('a VG whose marks say auto-activation is off already is marked all the same', async () => {
  await using vg = await loopVg({ create: ['--setautoactivation', 'n'] });
  await atWork(vg);
  assert.is(await vg.vg('vg_tags'), 'sltv:lock=local/host,sltv:v=1');
});

test('tags that are not ours stay where they are', async () => {
  await using vg = await loopVg();
  const { pool } = await atWork(vg);
  await change(pool, (writer) => writer.create(NEW));
  await vg.lvm('lvchange', '--addtag', 'backup', '--addtag', 'sltv:odd', `${vg.name}/a`);
  const { notes } = await change(pool, (writer) => writer.annotate('a', { add: { op: ['x'] }, drop: { v: ['1'] } }));
  assert.equal(notes, { disk: ['d1'], op: ['x'] });
  const tags = await vg.lvm('lvs', '--noheadings', '-o', 'lv_tags', `${vg.name}/a`);
  assert.is(tags.trim(), 'backup,sltv:disk=d1,sltv:odd,sltv:op=x');
});

test('a volume tells when and where it was made', async () => {
  await using vg = await loopVg();
  const { pool } = await atWork(vg);
  const { createdAt, createdOn, path } = await change(pool, (writer) => writer.create(NEW));
  assert.ok(Math.abs(Date.now() - (createdAt?.getTime() ?? 0)) < 60_000);
  assert.ok(createdOn);
  assert.is(path, `/dev/${vg.name}/a`);
});

test('the facts of a pool are the VG’s', async () => {
  await using vg = await loopVg({ sizes: [256], create: ['--metadatasize', '1m'] });
  const { pool } = await atWork(vg);
  const { size, free, extent, devices, metadata, readOnlyBecause } = await pool.facts(never);
  assert.equal([size, free, extent], [252n * BigInt(MEBIBYTE), 252n * BigInt(MEBIBYTE), EXTENT]);
  assert.equal([devices, readOnlyBecause], [vg.devices, undefined]);
  assert.ok(metadata && metadata.free < metadata.size && metadata.size < BigInt(2 * MEBIBYTE));
});

test('LVM’s archive of a pool that works all day stays small', async () => {
  await using vg = await loopVg();
  const { pool } = await atWork(vg);
  await change(pool, (writer) => writer.create(NEW));
  await mkdir(`${vg.directory}/host/archive`, { recursive: true });
  for (let n = 0; n < 150; n += 1) {
    await copyFile(`${vg.directory}/host/backup/${vg.name}`, `${vg.directory}/host/archive/${vg.name}_${n}00-1.vg`);
  }
  await change(pool, (writer) => writer.annotate('a', { add: { op: ['x'] } }));
  assert.is((await readdir(`${vg.directory}/host/archive`)).length, 100);
});

test.run();
