// Which member is spoken to, and with which words etcd lets nobody in.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asSltvError } from '../../../core/errors.ts';
import { eventually } from '../../../core/testing/cluster/nodes.ts';
import { createEtcdKv, type EtcdOptions } from '../../../plugins/etcd-lock/etcd-kv.ts';
import type { Kv, Txn } from '../../../plugins/etcd-lock/kv.ts';
import { type Etcd, startEtcd } from '../../fixtures/etcd.ts';
import { nodesOnEtcd } from '../../fixtures/etcd-nodes.ts';

const never = new AbortController().signal;
const READ: Txn = { when: [], act: [{ get: { key: '/sltv/a' } }], otherwise: [] };
const WRITE: Txn = { when: [], act: [{ put: { key: '/sltv/a', value: '1' } }], otherwise: [] };

const failure = (promise: Promise<unknown>) =>
  promise.then((): never => {
    throw new Error('it succeeded');
  }, asSltvError);

async function failureWith(options: EtcdOptions) {
  const kv = await createEtcdKv(options);
  try {
    return await failure(kv.txn(READ));
  } finally {
    kv.close();
  }
}

const PASSWORD = 'correct "horse" ä';
let guarded: Etcd;
let three: Etcd;
test.before(async () => {
  [guarded, three] = await Promise.all([startEtcd({ tls: true, password: PASSWORD }), startEtcd({ members: 3 })]);
});
test.after(async () => {
  await Promise.all([guarded, three].map(async (etcd) => await etcd?.[Symbol.asyncDispose]()));
});

const rightly = (): EtcdOptions => ({
  endpoints: guarded.endpoints,
  ...{ username: 'sltv', password: PASSWORD },
  tls: guarded.certificates,
});

test('locks are given through TLS, with a password, to a user who has the prefix alone', async () => {
  await using nodes = nodesOnEtcd(rightly());
  const [node, other] = [await nodes.open(), await nodes.open()];
  const lease = await node.locks.acquire('a', never);
  const waiting = other.locks.acquire('a', never);
  await lease[Symbol.asyncDispose]();
  await (await waiting)[Symbol.asyncDispose]();
});

test('a wrong password is named, and where it is set', async () => {
  const { kind, code, message, hint } = await failureWith({ ...rightly(), password: 'wrong' });
  assert.equal([kind, code], ['unavailable', 'etcd-lock/login']);
  assert.match(message, /username and password/);
  assert.match(hint ?? '', /passwordFile/);
});

test('no password where one is needed is no other', async () => {
  const { endpoints, tls } = rightly();
  assert.is((await failureWith({ endpoints, tls })).code, 'etcd-lock/login');
});

test('a key outside the user’s prefix is not permitted', async () => {
  const kv = await createEtcdKv(rightly());
  const error = await failure(kv.txn({ when: [], act: [{ get: { key: '/other' } }], otherwise: [] }));
  kv.close();
  assert.is(error.code, 'etcd-lock/login');
});

test('an authority that did not sign etcd’s certificate is named as such', async () => {
  const tls = { ...guarded.certificates, ca: guarded.certificates?.otherCa };
  const { kind, code, hint } = await failureWith({ ...rightly(), tls });
  assert.equal([kind, code], ['unavailable', 'etcd-lock/certificate']);
  assert.match(hint ?? '', /tls\.ca/);
});

test('a file that is not there is named', async () => {
  const tls = { ...guarded.certificates, ca: '/nowhere/ca.pem' };
  const { kind, code, message } = await failure(createEtcdKv({ ...rightly(), tls }));
  assert.equal([kind, code], ['invalid', 'etcd-lock/bad-file']);
  assert.match(message, /\/nowhere\/ca\.pem/);
});

test('a file that is no certificate is named as such', async () => {
  const ca = join(dirname(guarded.certificates?.ca ?? ''), 'no.pem');
  writeFileSync(ca, 'no certificate\n');
  assert.is((await failureWith({ ...rightly(), tls: { ...guarded.certificates, ca } })).code, 'etcd-lock/certificate');
});

/** Asks until there is an answer. */
async function answered(kv: Kv, txn: Txn): Promise<void> {
  await eventually(() =>
    kv.txn(txn).then(
      () => true,
      () => false,
    ),
  );
}

test('when the member that is spoken to is frozen, calls go to another', async () => {
  const kv = await createEtcdKv(three);
  await kv.txn(WRITE);
  three.freeze(0);
  try {
    // The others may have to choose a leader first.
    await answered(kv, READ);
    const again = performance.now();
    await kv.txn(WRITE);
    assert.ok(performance.now() - again < 2_500, 'it was asked of the frozen one again');
  } finally {
    three.thaw(0);
    kv.close();
  }
});

test('a watch moves on with the calls', async () => {
  const kv = await createEtcdKv(three);
  let rung = Promise.withResolvers<void>();
  using _watch = kv.watch([{ key: '/sltv/watched' }], () => rung.resolve());
  await rung.promise;
  three.freeze(0);
  try {
    rung = Promise.withResolvers();
    await answered(kv, READ);
    await rung.promise;
    rung = Promise.withResolvers();
    await kv.txn({ when: [], act: [{ put: { key: '/sltv/watched', value: '1' } }], otherwise: [] });
    await rung.promise;
  } finally {
    three.thaw(0);
    kv.close();
  }
});

test('without a majority nothing is granted, and with it all is as before', async () => {
  await using nodes = nodesOnEtcd({ ...three, deadline: 1_000 }, { ttl: 2 });
  const node = await nodes.open();
  node.cluster.join({ version: '1', format: 1, addresses: [] });
  const lease = await node.locks.acquire('a', never);
  lease.leave('kept');
  await Promise.all([three.kill(1), three.kill(2)]);
  assert.is((await failure(node.locks.acquire('b', never))).kind, 'unavailable');
  await Promise.all([three.restart(1), three.restart(2)]);
  await lease[Symbol.asyncDispose]();
  for (;;) {
    const given = await node.locks.acquire('a', never).catch(asSltvError);
    if ('token' in given) {
      assert.equal(given.handover, { mark: 'kept', isOrderly: true });
      return await given[Symbol.asyncDispose]();
    }
    assert.is(given.kind, 'unavailable');
  }
});

test.run();
