// What plugins/etcd-lock/kv.ts promises, of a real etcd and of the store in memory alike.
import { randomUUID } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createEtcdKv } from '../../../plugins/etcd-lock/etcd-kv.ts';
import { type Keys, type Kv, LeaseGone, type Op, under } from '../../../plugins/etcd-lock/kv.ts';
import { startEtcd } from '../../fixtures/etcd.ts';
import { createMemoryStore } from '../../fixtures/memory-kv.ts';

const etcd = await startEtcd();
const onEtcd = await createEtcdKv(etcd);
test.after(async () => {
  onEtcd.close();
  await etcd[Symbol.asyncDispose]();
});

const put = (key: string, value: string, lease?: string): Op => ({
  put: { key, value, ...(lease === undefined ? {} : { lease }) },
});
const act = (kv: Kv, ...ops: readonly Op[]) => kv.txn({ when: [], act: ops, otherwise: [] });

async function valuesIn(kv: Kv, keys: Keys) {
  const { found } = await act(kv, { get: keys });
  return found[0]?.map(({ value }) => value);
}

/** Counts how often a watch has rung, and waits for more. */
function watched(kv: Kv, keys: readonly Keys[]) {
  let rings = 0;
  let next = Promise.withResolvers<void>();
  const watching = kv.watch(keys, () => {
    rings += 1;
    next.resolve();
    next = Promise.withResolvers();
  });
  return {
    rings: () => rings,
    async more(than: number) {
      while (rings <= than) await next.promise;
    },
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  };
}

for (const [name, kv] of [
  ['etcd', onEtcd],
  ['memory', createMemoryStore().open()],
] as const) {
  /** Keys of its own for each test. */
  const folder = () => `/kv/${randomUUID()}/`;

  test(`${name}: all of a transaction is done, or the other half of it`, async () => {
    const at = folder();
    const txn = {
      when: [{ key: `${at}a`, is: 'absent' as const }],
      act: [put(`${at}a`, '1'), put(`${at}b`, '2')],
      otherwise: [{ get: { key: `${at}a` } }, put(`${at}c`, '3')],
    };
    assert.is((await kv.txn(txn)).holds, true);
    assert.equal(await valuesIn(kv, under(at)), ['1', '2']);
    const { holds, found } = await kv.txn(txn);
    assert.is(holds, false);
    assert.equal(
      found.map((entries) => entries.map(({ value }) => value)),
      [['1'], []],
    );
    assert.equal(await valuesIn(kv, under(at)), ['1', '2', '3']);
  });

  test(`${name}: a compare of a range holds when it holds of every key, and of none`, async () => {
    const at = folder();
    const isSo = async (...when: Parameters<Kv['txn']>[0]['when']) =>
      (await kv.txn({ when, act: [], otherwise: [] })).holds;
    assert.is(await isSo({ ...under(at), is: 'absent' }), true);
    assert.is(await isSo({ key: `${at}a`, mod: 0n }), true);
    assert.is(await isSo({ key: `${at}a`, value: '' }), false, 'no key has no value');
    const { revision } = await act(kv, put(`${at}a`, '1'));
    assert.is(await isSo({ ...under(at), is: 'absent' }), false);
    assert.is(await isSo({ ...under(at), is: 'present' }), true);
    assert.is(await isSo({ key: `${at}a`, mod: revision }), true);
    assert.is(await isSo({ key: `${at}a`, value: '1' }), true);
    await act(kv, put(`${at}b`, '2'));
    assert.is(await isSo({ ...under(at), mod: revision }), false);
    assert.is(await isSo({ key: at.slice(0, -1), is: 'absent' }), true, 'a key is no range');
  });

  test(`${name}: a read tells when a key came to be and when it was written, oldest first`, async () => {
    const at = folder();
    const first = (await act(kv, put(`${at}z`, '1'))).revision;
    await act(kv, put(`${at}a`, '2'));
    const last = (await act(kv, put(`${at}z`, '3'))).revision;
    const { found, revision } = await act(kv, { get: under(at) });
    assert.is(revision, last, 'reading writes nothing');
    assert.equal(
      found[0]?.map(({ key }) => key),
      [`${at}z`, `${at}a`],
    );
    assert.equal(found[0]?.[0], { key: `${at}z`, value: '3', created: first, mod: last });
  });

  test(`${name}: what is removed and put again came to be then`, async () => {
    const at = folder();
    await act(kv, put(`${at}a`, '1'));
    await act(kv, { remove: under(at) });
    assert.equal(await valuesIn(kv, under(at)), []);
    const { revision } = await act(kv, put(`${at}a`, '2'));
    const { found } = await act(kv, { get: { key: `${at}a` } });
    assert.is(found[0]?.[0]?.created, revision);
  });

  test(`${name}: the keys of a lease go with it; ending it twice is ending it once`, async () => {
    const at = folder();
    const lease = await kv.grant(5);
    assert.ok(lease.ttl >= 5);
    await act(kv, put(`${at}a`, '1', lease.id), put(`${at}b`, '2'));
    assert.ok((await kv.keepAlive(lease.id)).ttl > 0);
    await kv.revoke(lease.id);
    await kv.revoke(lease.id);
    assert.equal(await valuesIn(kv, under(at)), ['2']);
    assert.is((await kv.keepAlive(lease.id)).ttl, 0);
  });

  test(`${name}: a key that is put on another lease, or on none, outlives the first`, async () => {
    const at = folder();
    const [one, two] = [await kv.grant(5), await kv.grant(5)];
    await act(kv, put(`${at}a`, '1', one.id), put(`${at}b`, '2', one.id));
    await act(kv, put(`${at}a`, '3', two.id), put(`${at}b`, '4'));
    await kv.revoke(one.id);
    assert.equal(await valuesIn(kv, under(at)), ['3', '4']);
    await kv.revoke(two.id);
    assert.equal(await valuesIn(kv, under(at)), ['4']);
  });

  test(`${name}: a put on a lease that is no more does nothing of its transaction, and says so`, async () => {
    const at = folder();
    const lease = await kv.grant(5);
    await kv.revoke(lease.id);
    const ops = [put(`${at}a`, '1'), put(`${at}b`, '2', lease.id)];
    const error = await act(kv, ...ops).catch((thrown: unknown) => thrown);
    assert.instance(error, LeaseGone);
    assert.equal(await valuesIn(kv, under(at)), []);
    const spared = await kv.txn({ when: [{ key: at, is: 'present' }], act: ops, otherwise: [] });
    assert.is(spared.holds, false, 'the half that is not taken needs no lease');
  });

  test(`${name}: a watch rings when it begins and after every change there, whoever made it`, async () => {
    const at = folder();
    using bell = watched(kv, [under(at), { key: `/kv/apart${at}` }]);
    await bell.more(0);
    const lease = await kv.grant(5);
    for (const change of [
      () => act(kv, put(`${at}a`, '1', lease.id)),
      () => act(kv, put(`/kv/apart${at}`, '1')),
      () => kv.revoke(lease.id),
    ]) {
      const before = bell.rings();
      await change();
      await bell.more(before);
    }
  });

  test(`${name}: a watch that was given up rings no more`, async () => {
    const at = folder();
    const given = watched(kv, [under(at)]);
    using kept = watched(kv, [under(at)]);
    await Promise.all([given.more(0), kept.more(0)]);
    given[Symbol.dispose]();
    const [before, seen] = [given.rings(), kept.rings()];
    await act(kv, put(`${at}a`, '1'));
    await kept.more(seen);
    assert.is(given.rings(), before);
  });
}

test('the keys under a prefix are those that begin with it', () => {
  assert.equal(under('/a/'), { key: '/a/', end: '/a0' });
});

test.run();
