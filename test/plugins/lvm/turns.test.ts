// Whose turn it is, and what ends it.
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Locks } from '../../../core/capabilities/locks.ts';
import { SltvError } from '../../../core/errors.ts';
import { createLocalLocks } from '../../../plugins/local-lock/locks.ts';
import { fifo, type LoopVg, loopVg, never, shim } from './fixture.ts';

const NEW = { size: 1n, notes: { v: ['1'] }, format: 'raw', active: false } as const;

/** A daemon whose `lvm lvcreate` says when it has begun, and goes on when it is told to. */
async function withHeldCreate(vg: LoopVg, more: { life?: AbortSignal; locks?: Locks } = {}) {
  const begun = await fifo(join(vg.directory, 'begun'));
  const go = await fifo(join(vg.directory, 'go'));
  const held = `case "$*" in lvcreate*) echo begun > ${begun.path}; read _ < ${go.path};; esac; exec $LVM "$@"`;
  const { pool, take } = await vg.open({ env: await shim(vg.directory, held), ...more });
  return { pool: await pool(), take, begun, go };
}

const names = async (vg: LoopVg) => (await vg.lvm('lvs', '--noheadings', '-o', 'lv_name', vg.name)).trim();

test('a signal that fires while a command writes leaves it, and the work that follows, to end', async () => {
  await using vg = await loopVg();
  const { pool, begun, go } = await withHeldCreate(vg);
  const caller = new AbortController();
  const work = pool.change({ signal: caller.signal }, async (writer) => {
    await writer.create({ ...NEW, name: 'a' });
    return writer.annotate('a', { add: { more: ['1'] } });
  });
  await begun.heard();
  caller.abort();
  await go.say();
  assert.equal((await work).notes, { v: ['1'], more: ['1'] });
});

test('when the daemon stops, the command that writes ends by itself, and no other begins', async () => {
  await using vg = await loopVg();
  const life = new AbortController();
  const { pool, take, begun, go } = await withHeldCreate(vg, { life: life.signal });
  const work = pool.change({ signal: never }, async (writer) => {
    await writer.create({ ...NEW, name: 'a' }).catch(() => {});
    await writer.create({ ...NEW, name: 'b' });
  });
  await begun.heard();
  life.abort(new Error('the daemon stops'));
  await go.say();
  await work.then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'the daemon stops'),
  );
  assert.is(take().filter((command) => command === 'lvm lvcreate').length, 1);
  assert.is(await names(vg), 'a');
});

test('why the lock is not to be had is said of the volume group, by its name', async () => {
  await using vg = await loopVg();
  const refused = (lock: string) =>
    new SltvError('cancelled', 'etcd-lock/gave-up', `hv1 has the lock ${lock} since noon and does not answer`, {
      hint: 'bring hv1 back',
    });
  const locks: Locks = { ...whenReleased(() => {}), acquire: (lock) => Promise.reject(refused(lock)) };
  const { pool } = await vg.open({ locks });
  const error = await (await pool()).change({ signal: never }, async () => {}).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof SltvError);
  assert.is(error.message, `hv1 has the lock of volume group ${vg.name} since noon and does not answer`);
  assert.equal([error.code, error.hint], ['etcd-lock/gave-up', 'bring hv1 back']);
});

test('the lock is kept until a command that the work did not wait for has ended, and no other begins', async () => {
  await using vg = await loopVg();
  const released: string[][] = [];
  const seen = { take: (): string[] => [] };
  const locks = whenReleased(() => released.push(seen.take()));
  const { pool, take, begun, go } = await withHeldCreate(vg, { locks });
  await pool.change({ signal: never }, (writer) => writer.volumes());
  seen.take = take;
  take();
  released.length = 0;
  const late: Promise<unknown>[] = [];
  const work = pool.change({ signal: never }, async (writer) => {
    late.push(
      writer.create({ ...NEW, name: 'a' }),
      writer.create({ ...NEW, name: 'b' }).catch((error) => error.message),
    );
    await begun.heard();
  });
  await go.say();
  await work;
  assert.is(await late[1], 'this turn is over');
  assert.equal(released, [['lvm lvcreate', 'lvm fullreport']]);
  assert.is(await names(vg), 'a');
});

test('a lock that is lost in the middle lets no further command begin', async () => {
  await using vg = await loopVg();
  const lost = new AbortController();
  const locks = createLocalLocks('host', lost.signal);
  const { pool, take, begun, go } = await withHeldCreate(vg, { locks });
  const work = pool.change({ signal: never }, async (writer) => {
    await writer.create({ ...NEW, name: 'a' });
    await writer.extend('a', 1_000_000_000n);
  });
  await begun.heard();
  lost.abort();
  await go.say();
  await work.then(
    () => assert.unreachable(),
    (error: unknown) =>
      assert.is(error instanceof SltvError && `${error.code} ${error.kind}`, 'lvm/lock-lost unavailable'),
  );
  assert.not(take().includes('lvm lvextend'));
});

test('a turn has the lock that is named by the VG’s uuid', async () => {
  await using vg = await loopVg();
  const asked: string[] = [];
  const inner = createLocalLocks('host', never);
  const locks: Locks = { ...inner, acquire: (name, signal) => inner.acquire(asked.push(name) ? name : '', signal) };
  const { pool } = await vg.open({ locks });
  await (await pool()).change({ signal: never }, (writer) => writer.volumes());
  assert.equal(asked, [`vg/${await vg.vg('vg_uuid')}`]);
});

test('a commit that slips in right behind ours makes the next look a report', async () => {
  await using vg = await loopVg();
  const slips = `$LVM "$@"; code=$?; case "$*" in lvchange*) $LVM lvchange --addtag sltv:theirs=1 ${vg.name}/a;; esac; exit $code`;
  const { pool } = await vg.open({ env: await shim(vg.directory, slips) });
  const seen = await (await pool()).change({ signal: never }, async (writer) => {
    await writer.create({ ...NEW, name: 'a' });
    return [await writer.annotate('a', { add: { ours: ['1'] } }), await writer.find('a')];
  });
  for (const volume of seen) assert.equal(volume?.notes, { v: ['1'], ours: ['1'], theirs: ['1'] });
});

function whenReleased(tell: () => void): Locks {
  const inner = createLocalLocks('host', never);
  return {
    domain: inner.domain,
    async acquire(name, signal) {
      const lease = await inner.acquire(name, signal);
      return {
        ...lease,
        async [Symbol.asyncDispose]() {
          tell();
          await lease[Symbol.asyncDispose]();
        },
      };
    },
  };
}

test.run();
