import { getEventListeners } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patiently } from '../../core/patiently.ts';

const forever = () => new Promise<never>(() => {});

test('what comes of the work is the answer, also its failure', async () => {
  assert.is(await patiently(Promise.resolve(1), []), 1);
  assert.is(await patiently(Promise.resolve(1), [new AbortController().signal], 60_000), 1);
  const failure = new Error('no');
  assert.is(await patiently(Promise.reject(failure), []).catch((error: unknown) => error), failure);
});

test('work that takes longer than it may is left alone, and the answer is undefined', async () => {
  assert.is(await patiently(forever(), [], 1), undefined);
});

test('the first signal that fires ends the wait, with its reason', async () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const waiting = patiently(forever(), [first.signal, second.signal], 60_000).catch((error: unknown) => error);
  second.abort('gone');
  first.abort('late');
  assert.is(await waiting, 'gone');
  assert.is(
    await patiently(forever(), [first.signal]).catch((error: unknown) => error),
    'late',
    'one that has fired, at once',
  );
});

test('nothing stays behind on a signal', async () => {
  const { signal } = new AbortController();
  await patiently(Promise.resolve(1), [signal]);
  await patiently(Promise.reject(new Error('no')), [signal]).catch(() => {});
  await patiently(forever(), [signal], 1);
  assert.is(getEventListeners(signal, 'abort').length, 0);
});

test('work that fails when nobody waits any more harms nobody', async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  assert.is(await patiently(promise, [], 1), undefined);
  reject(new Error('late'));
  await new Promise((resolve) => setImmediate(resolve));
});

test.run();
