// Many hosts, one VG, in real lvm2: what is lost without the lock, what is noticed where a lock is given away too early, and
// that with everything on nothing is lost.
import { open, readFile, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Pool, Writer } from '../../../core/capabilities/storage.ts';
import { SltvError } from '../../../core/errors.ts';
import { createLog } from '../../../core/log.ts';
import { lockFile } from '../../../core/run.ts';
import { createLocalLocks } from '../../../plugins/local-lock/locks.ts';
import { createGuard } from '../../../plugins/lvm/guard.ts';
import { readMark } from '../../../plugins/lvm/handover.ts';
import type { Identity } from '../../../plugins/lvm/identity.ts';
import { createSharedLocks, type SharedLocks } from '../../fixtures/shared-locks.ts';
import { fifo, type LoopVg, loopVg, never, shim } from './fixture.ts';
import { stallOf } from './stall.ts';

const NEW = { size: 1n, notes: { v: ['1'] }, format: 'raw', active: false } as const;

const change = <T>(pool: Pool, work: (writer: Writer) => Promise<T>) => pool.change({ signal: never }, work);
const create = (pool: Pool, name: string) => change(pool, (writer) => writer.create({ ...NEW, name }));
const names = async (pool: Pool) => (await pool.volumes(never)).map(({ name }) => name);
const lockOf = (pool: Pool) => `vg/${pool.id}`;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => 'it succeeded',
    (thrown: unknown) => thrown,
  );
  return error instanceof SltvError ? `${error.code} ${error.kind}` : String(error);
}

/** Pools of these hosts on one VG, in which all have written once. */
async function sharedBy(vg: LoopVg, locks: SharedLocks, ...hosts: string[]) {
  const opened = [];
  for (const host of hosts) {
    const one = await vg.open({ host, locks });
    const pool = await one.pool();
    await change(pool, (writer) => writer.volumes());
    opened.push({ ...one, pool });
  }
  // A report, too, writes to lvm's archive, when it sees what its host has not seen before.
  for (const { pool } of opened) await pool.volumes(never);
  return opened;
}

/** What no lock keeps off: an lvm that says it is of this cluster. */
const FORGED = ['--config', 'global { system_id_source="lvmlocal" } local { system_id="sltv-c1" }'];
const byHand = (vg: LoopVg, command: string, ...words: string[]) => vg.lvm(command, ...FORGED, ...words);

// The controls: what happens without.

test('control: two hosts without a common lock lose a volume that both were told is there, and vgck finds nothing', async () => {
  await using vg = await loopVg();
  await using stall = await stallOf(vg, 'a');
  const [a, b] = [
    await (await vg.open({ host: 'a', locks: alone() })).pool(),
    await (await vg.open({ host: 'b', locks: alone() })).pool(),
  ];
  await create(a, 'first');
  await stall.begin();
  const stalled = create(a, 'of-a');
  await stall.stopped();
  assert.is((await create(b, 'of-b')).name, 'of-b');
  const sequence = await vg.sequence();
  await stall.end();
  assert.is((await stalled).name, 'of-a');
  assert.equal(await names(b), ['first', 'of-a'], 'of-b is lost');
  assert.is(await vg.sequence(), sequence, 'and no sequence number tells');
  await vg.lvm('vgck', vg.name);
});

test('control: a lock that is given away while its holder’s command still runs loses a volume, and every host is told', async () => {
  await using vg = await loopVg();
  await using stall = await stallOf(vg, 'a');
  const locks = createSharedLocks();
  const [a, b, c] = await sharedBy(vg, locks, 'a', 'b', 'c');
  if (!a || !b || !c) throw new Error('three hosts were opened');
  await stall.begin();
  const stalled = create(a.pool, 'of-a');
  await stall.stopped();
  locks.take(lockOf(b.pool), 'unnoticed');
  await create(b.pool, 'of-b');
  await stall.end();
  await stalled;
  assert.equal(await names(b.pool), ['of-a'], 'of-b is lost');
  const sequence = await vg.sequence();
  for (const { pool, said } of [b, c, a]) {
    assert.is(await codeOf(create(pool, 'more')), 'lvm/lost-update refused');
    assert.match(said.join('\n'), /ERROR an update of volume group \S+ is lost/);
  }
  assert.is(await vg.sequence(), sequence, 'nobody writes');
  await byHand(vg, 'vgck', vg.name);
});

test('a lock that stays with its holder’s command loses nothing', async () => {
  await using vg = await loopVg();
  await using stall = await stallOf(vg, 'a');
  const locks = createSharedLocks();
  const [a, b] = await sharedBy(vg, locks, 'a', 'b');
  if (!a || !b) throw new Error('two hosts were opened');
  await stall.begin();
  const stalled = create(a.pool, 'of-a');
  await stall.stopped();
  let isThere = false;
  const waiting = create(b.pool, 'of-b').then(() => {
    isThere = true;
  });
  await b.pool.volumes(never);
  assert.is(isThere, false);
  await stall.end();
  await Promise.all([stalled, waiting]);
  assert.equal(await names(a.pool), ['of-a', 'of-b']);
});

test('many turns of many hosts at once lose nothing, and each finds the mark that the one before left', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const hosts = await sharedBy(vg, locks, 'a', 'b', 'c');
  await Promise.all(hosts.flatMap(({ pool }, host) => [0, 1, 2, 3].map((n) => create(pool, `of-${host}-${n}`))));
  for (const { pool } of hosts) assert.is((await names(pool)).length, 12);
});

// What passes from holder to holder

test('a turn leaves the commit that the VG is at, once it has read it back', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a] = await sharedBy(vg, locks, 'a');
  if (!a) throw new Error('a host was opened');
  for (const work of [
    () => create(a.pool, 'x'),
    () => change(a.pool, async () => 'nothing'),
    () => a.pool.accept?.(never),
  ]) {
    await work();
    const { mark, isOrderly } = locks.left(lockOf(a.pool));
    const left = readMark(mark ?? '');
    assert.equal([left?.uuid, left?.sequence, left?.isFinal, isOrderly], [a.pool.id, await vg.sequence(), true, true]);
  }
});

test('what a turn committed before its work failed is left, too', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a] = await sharedBy(vg, locks, 'a');
  if (!a) throw new Error('a host was opened');
  await change(a.pool, async (writer) => {
    await writer.create({ ...NEW, name: 'x' });
    await writer.extend('nowhere', 1n);
  }).catch(() => {});
  await create(a.pool, 'y');
  assert.equal(await names(a.pool), ['x', 'y']);
});

test('commits of a holder that is proven to be over are accepted, and the next turn leaves an orderly mark again', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a, b] = await sharedBy(vg, locks, 'a', 'b');
  if (!a || !b) throw new Error('two hosts were opened');
  const held = Promise.withResolvers<void>();
  const created = Promise.withResolvers<void>();
  const dead = change(a.pool, async (writer) => {
    await writer.create({ ...NEW, name: 'of-the-dead' });
    created.resolve();
    await held.promise;
    await writer.create({ ...NEW, name: 'too-late' });
  });
  await created.promise;
  locks.take(lockOf(a.pool), 'dead');
  await create(b.pool, 'of-b');
  held.resolve();
  assert.is(await codeOf(dead), 'lvm/lock-lost unavailable');
  assert.equal(await names(b.pool), ['of-b', 'of-the-dead']);
  assert.match(b.said.join('\n'), /WARN {2}volume group \S+ has 1 more commits than its last holder could tell of/);
  assert.is(locks.left(lockOf(b.pool)).isOrderly, true);
  await create(a.pool, 'later');
});

test('who takes over from a dead daemon of the same host waits for the command that it left behind', async () => {
  await using vg = await loopVg();
  await using stall = await stallOf(vg, 'a');
  const locks = createSharedLocks();
  const [a, next] = await sharedBy(vg, locks, 'a', 'a');
  if (!a || !next) throw new Error('two daemons were opened');
  await stall.begin();
  const left = create(a.pool, 'left');
  await stall.stopped();
  locks.take(lockOf(a.pool), 'dead');
  assert.match(
    await codeOf(next.pool.change({ signal: AbortSignal.timeout(300) }, async () => {})),
    /TimeoutError|timeout/,
  );
  const sequence = await vg.sequence();
  const successor = create(next.pool, 'next');
  await stall.end();
  await Promise.all([left.catch(() => {}), successor]);
  assert.equal(await names(next.pool), ['left', 'next']);
  assert.is(await vg.sequence(), sequence + 2);
});

test('also for one that has not come to LVM’s own lock yet', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [next] = await sharedBy(vg, locks, 'a');
  if (!next) throw new Error('a daemon was opened');
  const begun = await fifo(`${vg.directory}/begun`);
  const go = await fifo(`${vg.directory}/go`);
  const late = `case "$*" in lvcreate*) echo begun > ${begun.path}; read _ < ${go.path};; esac; exec $LVM "$@"`;
  const dead = await (await vg.open({ host: 'a', locks, env: await shim(vg.directory, late) })).pool();
  const left = create(dead, 'left');
  await begun.heard();
  locks.take(lockOf(dead), 'dead');
  assert.match(
    await codeOf(next.pool.change({ signal: AbortSignal.timeout(300) }, async () => {})),
    /TimeoutError|timeout/,
  );
  const successor = create(next.pool, 'next');
  await go.say();
  await Promise.all([left.catch(() => {}), successor]);
  assert.equal(await names(next.pool), ['left', 'next']);
});

test('who takes over from a dead daemon waits for LVM’s own lock, too', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a] = await sharedBy(vg, locks, 'a');
  if (!a) throw new Error('a host was opened');
  locks.take(lockOf(a.pool), 'dead');
  const held = await lockFile(`${vg.directory}/a/lock/V_${vg.name}`, never);
  let isThrough = false;
  const turn = change(a.pool, async () => {
    isThrough = true;
  });
  assert.match(
    await codeOf(a.pool.change({ signal: AbortSignal.timeout(300) }, async () => {})),
    /TimeoutError|timeout/,
  );
  assert.is(isThrough, false);
  await held[Symbol.asyncDispose]();
  await turn;
});

test('an lvm that died between preparing a commit and committing it is no lost update', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a, b] = await sharedBy(vg, locks, 'a', 'b');
  if (!a || !b) throw new Error('two hosts were opened');
  await create(a.pool, 'x');
  await prepareCommit(vg.devices[0] ?? '');
  await create(b.pool, 'y');
  assert.equal(await names(a.pool), ['x', 'y']);
});

test('metadata that is written round its area again and again, by long commands, is always known for ours', async () => {
  await using vg = await loopVg({ create: ['--metadatasize', '1m'] });
  const [a] = await sharedBy(vg, createSharedLocks(), 'a');
  if (!a) throw new Error('a host was opened');
  await create(a.pool, 'x');
  // Each text takes a tenth of the area, and begins elsewhere.
  const long = Array.from({ length: 99 }, (_, index) => `${index}`.padEnd(1000, 'x'));
  for (let round = 0; round < 30; round += 1) {
    const add = { round: [String(round)], ...(round === 0 ? { long } : {}) };
    const drop = { round: [String(round - 1)] };
    await change(a.pool, (writer) => writer.annotate('x', { add, drop }));
  }
});

test('a VG that gets a device, and one that loses it again, is at the same commit for every host', async () => {
  await using vg = await loopVg({ sizes: [64, 64], create: ['--metadatasize', '1m'] });
  const [a, b] = await sharedBy(vg, createSharedLocks(), 'a', 'b');
  if (!a || !b) throw new Error('two hosts were opened');
  const [, second = ''] = vg.devices;
  await a.pool.grow?.([second], never);
  await create(b.pool, 'x');
  await create(a.pool, 'y');
  assert.is((await b.pool.shell?.(['vgreduce', vg.name, second], never))?.code, 0);
  await create(a.pool, 'z');
  await create(b.pool, 'last');
});

// What can't be read

/** A guard whose VG is at what the test says, on a lease of locks that keep marks. */
async function guardOver(locks: SharedLocks, at: { now: Identity | undefined }) {
  const lease = await locks.acquire('vg/u', never);
  assert.ok(lease.handover);
  if (!lease.handover) throw new Error('these locks keep marks');
  const log = createLog({ level: 'error', format: 'text', write: () => {} });
  const vg = { name: 'vg0', uuid: 'u' };
  const guard = createGuard({ vg, lease, handover: lease.handover, read: async () => at.now, log });
  return { guard, endTurn: async () => guard.end().finally(() => lease[Symbol.asyncDispose]()) };
}
const at = (sequence: number, ending = ''): Identity => ({
  mark: String(sequence),
  sequence,
  content: `${sequence}:1`,
  endings: [`description = "Write from lvcreate # ${ending}."`],
});

test('while it can’t be told which commit the VG is at, no turn begins, no command starts, and no mark is left', async () => {
  const locks = createSharedLocks();
  const vg: { now: Identity | undefined } = { now: undefined };
  const blind = await guardOver(locks, vg);
  assert.is(await codeOf(blind.guard.begin()), 'lvm/unreadable unavailable');
  await blind.endTurn();
  assert.is(locks.left('vg/u').mark, undefined);
  vg.now = at(5);
  const { guard, endTurn } = await guardOver(locks, vg);
  await guard.begin();
  vg.now = undefined;
  assert.is(await codeOf(guard.watch(async () => assert.unreachable('it started'))), 'lvm/unreadable unavailable');
  vg.now = at(5);
  await endTurn();
  assert.is(locks.left('vg/u').mark, '1 u 5 5:1');
});

test('a command that can’t be read back leaves an open mark, behind which one commit more is accepted', async () => {
  const locks = createSharedLocks();
  const vg: { now: Identity | undefined } = { now: at(5) };
  const first = await guardOver(locks, vg);
  await first.guard.begin();
  const work = first.guard.watch(async () => {
    vg.now = undefined;
  });
  assert.is(await codeOf(work), 'lvm/unreadable unavailable');
  await first.endTurn();
  assert.is(locks.left('vg/u').mark, '1 u 5 5:1 open');
  vg.now = at(6);
  const next = await guardOver(locks, vg);
  await next.guard.begin();
  await next.endTurn();
  assert.is(locks.left('vg/u').mark, '1 u 6 6:1');
});

test('a command that failed after its commit has made it all the same', async () => {
  const locks = createSharedLocks();
  const vg: { now: Identity | undefined } = { now: at(5) };
  const { guard, endTurn } = await guardOver(locks, vg);
  await guard.begin();
  const work = guard.watch(async (word) => {
    vg.now = at(6, word);
    throw new Error('activation failed');
  });
  assert.is(await codeOf(work), 'Error: activation failed');
  await endTurn();
  assert.is(locks.left('vg/u').mark, '1 u 6 6:1');
});

// What is found out

test('a commit without the lock stops every host, until a person accepts it', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a, b] = await sharedBy(vg, locks, 'a', 'b');
  if (!a || !b) throw new Error('two hosts were opened');
  await byHand(vg, 'lvcreate', '-an', '-Zn', '-Wn', '-l1', '-n', 'foreign', vg.name);
  const sequence = await vg.sequence();
  for (const { pool } of [a, b, a]) assert.is(await codeOf(create(pool, 'x')), 'lvm/foreign-write refused');
  assert.is(await vg.sequence(), sequence);
  assert.equal(await names(a.pool), ['foreign'], 'reading goes on');
  assert.match(
    (await b.pool.facts(never)).readOnlyBecause ?? '',
    /^somebody wrote to volume group \S+ without its lock/,
  );
  await b.pool.accept?.(never);
  assert.match(b.said.join('\n'), /WARN {2}volume group \S+ is taken as it stands, at commit/);
  assert.is(await vg.sequence(), sequence, 'accepting is no commit');
  assert.is((await b.pool.facts(never)).readOnlyBecause, undefined);
  await create(a.pool, 'x');
  await create(b.pool, 'y');
  for (const { pool } of [a, b]) assert.is((await pool.facts(never)).readOnlyBecause, undefined);
});

test('a VG that is given to these locks anew counts as it is then', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a] = await sharedBy(vg, locks, 'a');
  if (!a) throw new Error('a host was opened');
  await byHand(vg, 'vgchange', '--deltag', 'sltv:lock=memory/c1', '--addtag', 'sltv:lock=local/a', vg.name);
  assert.is(await codeOf(create(a.pool, 'x')), 'lvm/other-domain refused');
  await a.pool.share?.(never);
  await create(a.pool, 'x');
});

test('a VG that was put back to an older state is a lost update', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a] = await sharedBy(vg, locks, 'a');
  if (!a) throw new Error('a host was opened');
  const before = await readFile(vg.devices[0] ?? '');
  await create(a.pool, 'x');
  await writeFile(vg.devices[0] ?? '', before);
  assert.is(await codeOf(create(a.pool, 'y')), 'lvm/lost-update refused');
  await a.pool.accept?.(never);
  await create(a.pool, 'y');
  assert.equal(await names(a.pool), ['y']);
});

test('a commit without the lock between two of a turn stops it, and the next turn', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a, b] = await sharedBy(vg, locks, 'a', 'b');
  if (!a || !b) throw new Error('two hosts were opened');
  const work = change(a.pool, async (writer) => {
    await writer.create({ ...NEW, name: 'x' });
    await byHand(vg, 'vgchange', '--addtag', 'foreign', vg.name);
    await writer.create({ ...NEW, name: 'y' });
  });
  assert.is(await codeOf(work), 'lvm/foreign-write refused');
  assert.equal(await names(a.pool), ['x']);
  assert.is(await codeOf(create(b.pool, 'z')), 'lvm/foreign-write refused');
});

test('a commit without the lock behind the last of a turn fails it: what it did may be lost', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a, b] = await sharedBy(vg, locks, 'a', 'b');
  if (!a || !b) throw new Error('two hosts were opened');
  const backup = `${vg.directory}/before`;
  await byHand(vg, 'vgcfgbackup', '-f', backup, vg.name);
  const work = change(a.pool, async (writer) => {
    await writer.create({ ...NEW, name: 'x' });
    await byHand(vg, 'vgcfgrestore', '-f', backup, vg.name);
  });
  assert.is(await codeOf(work), 'lvm/lost-update refused');
  assert.is(await codeOf(create(b.pool, 'y')), 'lvm/lost-update refused');
});

test('a command whose commit is overwritten before it is read back has failed', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const backup = `${vg.directory}/before`;
  const forged = `--config 'global { system_id_source="lvmlocal" } local { system_id="sltv-c1" }'`;
  const overwrites = `"$LVM" "$@"; code=$?; case "$*" in *lvcreate*) "$LVM" vgcfgrestore ${forged} -f ${backup} ${vg.name} >/dev/null;; esac; exit $code`;
  const pool = await (await vg.open({ locks, env: await shim(vg.directory, overwrites) })).pool();
  await change(pool, (writer) => writer.volumes());
  await byHand(vg, 'vgcfgbackup', '-f', backup, vg.name);
  const before = await vg.sequence();
  assert.is(await codeOf(create(pool, 'x')), 'lvm/lost-update refused');
  assert.is(await vg.sequence(), before + 1, 'as if nothing had happened');
  assert.match(await codeOf(create(pool, 'y')), /^lvm\/(foreign-write|lost-update) refused$/);
});

test('behind a mark that this sltv does not understand nothing is written', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a] = await sharedBy(vg, locks, 'a');
  if (!a) throw new Error('a host was opened');
  locks.take(lockOf(a.pool), 'unnoticed');
  const lease = await locks.acquire(lockOf(a.pool), never);
  lease.leave('9 from the future');
  await lease[Symbol.asyncDispose]();
  const sequence = await vg.sequence();
  assert.is(await codeOf(create(a.pool, 'x')), 'lvm/unreadable unavailable');
  assert.is(await vg.sequence(), sequence);
});

test('a command typed by hand runs under the lock, and what it changed counts as ours', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a, b] = await sharedBy(vg, locks, 'a', 'b');
  if (!a || !b) throw new Error('two hosts were opened');
  const made = await a.pool.shell?.(['lvcreate', '-an', '-Zn', '-Wn', '-l1', '-n', 'by-hand', vg.name], never);
  assert.is(made?.code, 0, made?.stderr);
  const listed = await b.pool.shell?.(['lvm', 'lvs', '--noheadings', '-o', 'lv_name', vg.name], never);
  assert.equal([listed?.code, listed?.stdout.trim()], [0, 'by-hand']);
  const wrong = await b.pool.shell?.(['lvremove', '--yes', `${vg.name}/nowhere`], never);
  assert.equal([wrong?.code, wrong?.stderr.includes('nowhere')], [5, true]);
  await create(b.pool, 'x');
  assert.is(await codeOf(a.pool.shell?.([], never) ?? Promise.resolve()), 'lvm/bad-command invalid');
});

test('a VG that somebody wrote over is mended by hand under the lock, and is used again once that is accepted', async () => {
  await using vg = await loopVg();
  const locks = createSharedLocks();
  const [a, b] = await sharedBy(vg, locks, 'a', 'b');
  if (!a || !b) throw new Error('two hosts were opened');
  const [before, whole] = [`${vg.directory}/before`, `${vg.directory}/whole`];
  await byHand(vg, 'vgcfgbackup', '-f', before, vg.name);
  await create(a.pool, 'x');
  await byHand(vg, 'vgcfgbackup', '-f', whole, vg.name);
  await byHand(vg, 'vgcfgrestore', '-f', before, vg.name);
  assert.is(await codeOf(create(b.pool, 'y')), 'lvm/lost-update refused');
  const mended = await b.pool.shell?.(['vgcfgrestore', '-f', whole, vg.name], never);
  assert.is(mended?.code, 0, mended?.stderr);
  assert.is(await codeOf(create(b.pool, 'y')), 'lvm/foreign-write refused', 'until a person has said so');
  await b.pool.accept?.(never);
  await create(a.pool, 'y');
  assert.equal(await names(b.pool), ['x', 'y']);
});

test('a local VG is guarded by nothing, and costs nothing more', async () => {
  await using vg = await loopVg();
  const pool = await (await vg.open({ locks: alone() })).pool();
  await create(pool, 'x');
  await vg.lvm('vgchange', '--addtag', 'by-hand', vg.name);
  await create(pool, 'y');
});

/** Locks of this daemon alone, though another has the same domain. */
function alone() {
  return createLocalLocks('nobody-else', never);
}

/** Fills the second slot of the metadata area's header, as lvm has when it is killed then. */
async function prepareCommit(device: string): Promise<void> {
  await using file = await open(device, 'r+');
  const header = Buffer.alloc(512);
  await file.read(header, 0, 512, 4096);
  header.copy(header, 64, 40, 64);
  header.writeBigUInt64LE(header.readBigUInt64LE(40) + 8192n, 64);
  // lvm's checksum is a CRC-32 that begins elsewhere and is not inverted.
  const begin = ~0xf597a6cf >>> 0;
  header.writeUInt32LE(~crc32(header.subarray(4), begin) >>> 0, 0);
  await file.write(header, 0, 512, 4096);
  await file.sync();
}

test.run();
