// For how long a lock stays where it is.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lease } from '../../../core/capabilities/locks.ts';
import type { Guard } from '../../../plugins/lvm/guard.ts';
import { createTenures, type Tenure } from '../../../plugins/lvm/tenure.ts';

const never = new AbortController().signal;
const done = async () => {};

/** A lock that tells when it is taken and given back; whether somebody waits, and the clock, are set by the test. */
function lock({ isGuarded = true } = {}) {
  const said: string[] = [];
  const world = { isAwaited: false, now: 0, losing: new AbortController() };
  let count = 0;
  const tenures = createTenures({
    async begin() {
      count += 1;
      said.push(`begin ${count}`);
      world.losing = new AbortController();
      // Only these are asked for.
      const lease = { token: BigInt(count), lost: world.losing.signal } as Lease;
      return { lease, guard: isGuarded ? ({} as Guard) : undefined };
    },
    async end({ lease }) {
      said.push(`end ${lease.token}`);
    },
    isAwaited: () => world.isAwaited,
    now: () => world.now,
  });
  const turn = (name: string, work: (tenure: Tenure) => Promise<void> = done) =>
    tenures.serve(never, async (tenure) => {
      said.push(name);
      await work(tenure);
    });
  return { tenures, turn, said, world };
}

test('a turn that nobody waits behind gives the lock back before its caller is answered', async () => {
  const { turn, said } = lock();
  await turn('a');
  assert.equal(said, ['begin 1', 'a', 'end 1']);
});

test('turns that wait already are served under one lock, and the last gives it back', async () => {
  const { turn, said, world } = lock();
  world.isAwaited = true;
  await turn('a');
  await turn('b');
  world.isAwaited = false;
  await turn('c');
  assert.equal(said, ['begin 1', 'a', 'b', 'c', 'end 1']);
});

test('a lock that was held for half a second passes on, though others wait here', async () => {
  const { turn, said, world } = lock();
  world.isAwaited = true;
  await turn('a');
  world.now = 499;
  await turn('b', async () => {
    world.now = 501;
  });
  await turn('c');
  assert.equal(said, ['begin 1', 'a', 'b', 'end 1', 'begin 2', 'c']);
});

test('a turn that fails gives the lock back: what it found may be more than its own trouble', async () => {
  const { turn, said, world } = lock();
  world.isAwaited = true;
  const failure = new Error('lost');
  await turn('a', async () => {
    throw failure;
  }).catch((error) => assert.is(error, failure));
  assert.equal(said, ['begin 1', 'a', 'end 1']);
});

test('a lock that was lost in between is taken anew', async () => {
  const { turn, said, world } = lock();
  world.isAwaited = true;
  await turn('a');
  world.losing.abort();
  await turn('b');
  assert.equal(said, ['begin 1', 'a', 'end 1', 'begin 2', 'b']);
});

test('where nobody comes after all, the lock is given back', async () => {
  const { tenures, turn, said, world } = lock();
  world.isAwaited = true;
  await turn('a');
  await tenures.settle();
  await tenures.settle();
  assert.equal(said, ['begin 1', 'a', 'end 1']);
});

test('a lock that is no other host’s passes with each turn, as it costs nothing', async () => {
  const { turn, said, world } = lock({ isGuarded: false });
  world.isAwaited = true;
  await turn('a');
  await turn('b');
  assert.equal(said, ['begin 1', 'a', 'end 1', 'begin 2', 'b', 'end 2']);
});

test.run();
