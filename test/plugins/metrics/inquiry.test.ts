import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gauge, type MetricSource } from '../../../core/capabilities/metrics.ts';
import { createInquiry } from '../../../plugins/metrics/inquiry.ts';

const life = new AbortController().signal;
const load = [gauge('sltv_mine_load', 'load', 1)];
const source = (name: string, collect: MetricSource['collect']): MetricSource => ({ name, collect });
const plain = (answers: readonly { source: string; failure: string | undefined; metrics: readonly unknown[] }[]) =>
  answers.map(({ source, failure, metrics }) => [source, failure, metrics.length]);

test('a source that throws, at once or later, harms no other', async () => {
  const ask = createInquiry(
    [
      source('throws', () => {
        throw new Error('it broke');
      }),
      source('rejects', () => Promise.reject(new Error('it broke later'))),
      source('answers', () => load),
    ],
    { timeout: 1_000, life },
  );
  assert.equal(plain(await ask()), [
    ['throws', 'it broke', 0],
    ['rejects', 'it broke later', 0],
    ['answers', undefined, 1],
  ]);
});

test('a source that does not come back holds nothing up, is told so, and is not asked again before it does', async () => {
  let asked = 0;
  let signal: AbortSignal | undefined;
  const late = Promise.withResolvers<typeof load>();
  const ask = createInquiry(
    [
      source('late', (patience) => {
        asked += 1;
        signal = patience;
        return late.promise;
      }),
      source('answers', () => load),
    ],
    { timeout: 20, life },
  );
  assert.equal(plain(await ask()), [
    ['late', 'it did not answer within 0.02 s', 0],
    ['answers', undefined, 1],
  ]);
  assert.is(signal?.aborted, true);
  assert.equal(plain(await ask())[0], ['late', 'it has not come back since it was asked last', 0]);
  assert.is(asked, 1);
  late.resolve(load);
  await turnOfTheLoop();
  assert.equal(plain(await ask())[0], ['late', undefined, 1]);
  assert.is(asked, 2);
});

test('all are asked at once', async () => {
  const both = Promise.withResolvers<void>();
  let waiting = 0;
  const meet = async () => {
    waiting += 1;
    if (waiting === 2) both.resolve();
    await both.promise;
    return load;
  };
  const ask = createInquiry([source('a', meet), source('b', meet)], { timeout: 5_000, life });
  assert.equal(plain(await ask()), [
    ['a', undefined, 1],
    ['b', undefined, 1],
  ]);
});

test.run();
