// How long a lease is proven, with a store whose answers come when they are told to.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { KeptAlive, Kv } from '../../../plugins/etcd-lock/kv.ts';
import { keepProven, moment } from '../../../plugins/etcd-lock/proof.ts';

const SHORT = { id: '1', ttl: 0.6 };

/** Keeps a lease with these answers to its questions, in their order; without one the question stays open. */
function kept(lease: { id: string; ttl: number }, asked = moment(), ...answers: readonly (() => Promise<KeptAlive>)[]) {
  const left = [...answers];
  const questions: number[] = [];
  let proofs = 0;
  const failures: unknown[] = [];
  const lost = Promise.withResolvers<string>();
  const kv: Pick<Kv, 'keepAlive'> = {
    keepAlive() {
      questions.push(performance.now());
      return left.shift()?.() ?? new Promise(() => {});
    },
  };
  const proof = keepProven({
    // Nothing else of it is asked for.
    kv: kv as Kv,
    ...{ lease, asked },
    failing: (error) => failures.push(error),
    proven() {
      proofs += 1;
    },
    lost: lost.resolve,
  });
  return { proof, questions, failures, lost: lost.promise, proofs: () => proofs };
}

test('a lease is proven from when it was asked for, not from when it was granted', () => {
  const now = moment();
  const { proof } = kept({ id: '1', ttl: 10 }, { steady: now.steady - 4_000, wall: now.wall - 4_000 });
  assert.ok(proof.remaining() <= 6_000 && proof.remaining() > 5_000, `${proof.remaining()}`);
  proof.stop();
});

test('a clock that was set forward, or a host that was suspended, proves nothing', () => {
  const now = moment();
  const suspended = kept({ id: '1', ttl: 10 }, { steady: now.steady, wall: now.wall - 60_000 });
  assert.ok(suspended.proof.remaining() <= 0);
  suspended.proof.stop();
  const setBack = kept({ id: '1', ttl: 10 }, { steady: now.steady - 60_000, wall: now.wall + 60_000 });
  assert.ok(setBack.proof.remaining() <= 0);
  setBack.proof.stop();
});

test('an answer proves from when its question was sent, however late it comes', async () => {
  const answer = Promise.withResolvers<KeptAlive>();
  const begun = performance.now();
  const { proof, questions, lost } = kept({ id: '1', ttl: 0.6 }, moment(), () => answer.promise);
  // Not long before the first deadline.
  setTimeout(() => answer.resolve({ ttl: 0.6, revision: 1n }), 500);
  await lost;
  const asked = (questions[0] ?? 0) - begun;
  const held = performance.now() - begun;
  assert.ok(held >= asked + 590 && held < asked + 800, `asked after ${asked} ms, held for ${held} ms`);
  assert.is(proof.remaining() <= 0, true);
});

test('one question is open at a time, and without an answer the lease is lost in time', async () => {
  const begun = performance.now();
  const { questions, lost } = kept(SHORT);
  assert.match(await lost, /did not confirm/);
  const held = performance.now() - begun;
  assert.is(questions.length, 1);
  assert.ok(held >= 590 && held < 1_200, `it was held for ${held} ms`);
});

test('a question that failed is asked again while there is time', async () => {
  const fails = () => Promise.reject(new Error('no'));
  const { failures, proofs, proof, lost } = kept(SHORT, moment(), fails, async () => ({ ttl: 0.6, revision: 1n }));
  await lost;
  assert.is(failures.length, 1);
  assert.is(proofs(), 1);
  assert.ok(proof.remaining() <= 0);
});

test('a lease that etcd has ended is lost at once', async () => {
  const begun = performance.now();
  const { lost } = kept(SHORT, moment(), async () => ({ ttl: 0, revision: 1n }));
  assert.match(await lost, /ended it/);
  assert.ok(performance.now() - begun < 500);
});

test('an answer never proves more than the lease is long', async () => {
  const { lost, proofs } = kept(SHORT, moment(), async () => ({ ttl: 100, revision: 1n }));
  await lost;
  assert.is(proofs(), 1);
});

test('what was stopped is not lost any more', async () => {
  const { proof, lost, questions } = kept(SHORT);
  proof.stop();
  const other = kept(SHORT);
  const first = await Promise.race([lost.then(() => 'stopped'), other.lost.then(() => 'other')]);
  assert.is(first, 'other');
  assert.is(questions.length, 0);
});

test.run();
