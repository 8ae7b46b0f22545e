import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createAgain } from '../../../plugins/autoextend/again.ts';

/** Something that is tried again, on a clock that the tests move. */
function makeTrying(longest = 15_000) {
  const clock = { now: 0 };
  const life = new AbortController();
  const waits: number[] = [];
  let end = () => {};
  const pause = (milliseconds: number) => {
    waits.push(milliseconds);
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  };
  let tries = 0;
  const work = () => {
    tries += 1;
  };
  return {
    ...{ clock, life, waits, tries: () => tries },
    failed: createAgain({ work, longest, life: life.signal, now: () => clock.now, pause }),
    /** Lets the present wait end. */
    async next() {
      clock.now += waits.at(-1) ?? 0;
      end();
      await turnOfTheLoop();
    },
  };
}

test('what fails is tried again, once however many have failed until then', async () => {
  const { failed, next, tries, waits } = makeTrying();
  failed();
  failed();
  failed();
  await next();
  assert.is(tries(), 1);
  assert.equal(waits, [1_000]);
});

test('what goes on failing is tried less and less often, down to the longest wait', async () => {
  const { failed, next, tries, waits } = makeTrying();
  for (let times = 0; times < 6; times += 1) {
    failed();
    await next();
  }
  assert.equal(waits, [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  assert.is(tries(), 6);
});

test('after a time without failures the next one is tried soon', async () => {
  const { clock, failed, next, waits } = makeTrying();
  for (let times = 0; times < 3; times += 1) {
    failed();
    await next();
  }
  clock.now += 30_001;
  failed();
  assert.is(waits.at(-1), 1_000);
});

test('no wait is longer than the longest', () => {
  const { failed, waits } = makeTrying(300);
  failed();
  assert.equal(waits, [300]);
});

test('nothing is tried when the daemon stops', async () => {
  const { failed, life, next, tries, waits } = makeTrying();
  failed();
  life.abort();
  await next();
  failed();
  assert.is(tries(), 0);
  assert.is(waits.length, 1);
});

test('by itself it waits for real, and no longer than the daemon lives', async () => {
  const life = new AbortController();
  let tries = 0;
  const again = () =>
    new Promise<void>((resolve) => {
      const work = () => {
        tries += 1;
        resolve();
      };
      createAgain({ work, longest: 1, life: life.signal, now: () => 0 })();
    });
  await again();
  assert.is(tries, 1);
  void again();
  life.abort();
  await turnOfTheLoop();
  assert.is(tries, 1);
});

test.run();
