// Questions and answers as they lie in the store.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { question } from '../../../core/capabilities/cluster.ts';
import { asSltvError } from '../../../core/errors.ts';
import { eventually } from '../../../core/testing/cluster/nodes.ts';
import { nodesInMemory } from '../../fixtures/etcd-nodes.ts';
import { createMemoryStore } from '../../fixtures/memory-kv.ts';

const never = new AbortController().signal;
const SELF = { version: '1', format: 1, addresses: [] };
const Size = question(
  'test/size',
  v.object({ size: v.bigint() }),
  v.object({ size: v.bigint(), of: v.array(v.bigint()) }),
);
const Loose = question('test/size', v.any(), v.any());

const failure = (promise: Promise<unknown>) =>
  promise.then((): never => {
    throw new Error('it succeeded');
  }, asSltvError);

async function two() {
  const store = createMemoryStore();
  const nodes = nodesInMemory(store);
  const [a, b] = [await nodes.open({ id: 'a' }), await nodes.open({ id: 'b' })];
  for (const { cluster } of [a, b]) cluster.join(SELF);
  await eventually(async () => (await a.cluster.members(never)).filter(({ isUp }) => isUp).length === 2);
  const mail = () => store.entries().filter(({ key }) => /\/(ask|answer)\//.test(key)).length;
  return { a, b, store, mail, [Symbol.asyncDispose]: async () => await nodes[Symbol.asyncDispose]() };
}

test('sizes of any number of digits go there and back', async () => {
  await using made = await two();
  made.b.cluster.answer(Size, async ({ size }) => ({ size: size * 2n, of: [size] }));
  const size = 2n ** 70n + 1n;
  assert.equal(await made.a.cluster.ask('b', Size, { size }, never), { size: size * 2n, of: [size] });
});

test('what was asked and answered is taken away', async () => {
  await using made = await two();
  made.b.cluster.answer(Size, async ({ size }) => ({ size, of: [] }));
  await made.a.cluster.ask('b', Size, { size: 1n }, never);
  await failure(made.a.cluster.ask('nobody', Size, { size: 1n }, never));
  await eventually(async () => made.mail() === 0);
});

test('who asked and died leaves nothing behind, though the answer comes later', async () => {
  await using made = await two();
  const answer = Promise.withResolvers<{ size: bigint; of: bigint[] }>();
  const asked = Promise.withResolvers<void>();
  made.b.cluster.answer(Size, () => {
    asked.resolve();
    return answer.promise;
  });
  const waiting = made.a.cluster.ask('b', Size, { size: 1n }, never).catch(() => {});
  await asked.promise;
  await made.a.crash();
  answer.resolve({ size: 1n, of: [] });
  await eventually(async () => made.mail() === 0);
  assert.equal(made.b.said, [], 'that is nothing to warn of');
  void waiting;
});

test('who loses his lease while he waits asks again', async () => {
  await using made = await two();
  let heard = 0;
  const slow = Promise.withResolvers<void>();
  made.b.cluster.answer(Size, async ({ size }) => {
    heard += 1;
    if (heard === 1) await slow.promise;
    return { size, of: [] };
  });
  const waiting = made.a.cluster.ask('b', Size, { size: 5n }, never);
  await eventually(async () => heard === 1);
  for (const lease of made.a.kv.leases) made.store.expire(lease);
  assert.equal(await waiting, { size: 5n, of: [] });
  slow.resolve();
});

test('a question that does not fit is refused where it is answered', async () => {
  await using made = await two();
  let heard = 0;
  made.b.cluster.answer(Size, async ({ size }) => {
    heard += 1;
    return { size, of: [] };
  });
  const { kind, code, message } = await failure(made.a.cluster.ask('b', Loose, { size: 'large' }, never));
  assert.equal([kind, code, heard], ['invalid', 'etcd-lock/bad-question', 0]);
  assert.match(message, /test\/size/);
});

test('an answer that does not fit is refused where it was asked', async () => {
  await using made = await two();
  made.b.cluster.answer(Loose, async () => ({ size: 'large' }));
  const { kind, code } = await failure(made.a.cluster.ask('b', Size, { size: 1n }, never));
  assert.equal([kind, code], ['internal', 'etcd-lock/bad-answer']);
});

test('a question that lies there when its node comes is answered', async () => {
  await using made = await two();
  const slow = Promise.withResolvers<void>();
  made.b.cluster.answer(Size, async ({ size }) => {
    await slow.promise;
    return { size, of: [] };
  });
  made.b.kv.setReachable(false);
  const waiting = made.a.cluster.ask('b', Size, { size: 3n }, never);
  await eventually(async () => made.mail() > 0);
  made.b.kv.setReachable(true);
  slow.resolve();
  assert.equal(await waiting, { size: 3n, of: [] });
});

test.run();
