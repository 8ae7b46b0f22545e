// Which boots are over, what becomes of their locks, and a store that forgot: as facts.
import assert from 'node:assert/strict';
import { type Check, never, rejects } from '../case.ts';
import type { ClusterUnderTest } from '../cluster.ts';
import { follow, settle } from '../locks/waiting.ts';
import { eventually, joined, memberOf } from './nodes.ts';

type Checks<T> = Readonly<Record<string, Check<T>>>;

export const boundaryChecks: Checks<ClusterUnderTest> = {
  async 'a boot that is declared over is over for all; twice is once'(made) {
    const [a, b, c] = await joined(made, 'a', 'b', 'c');
    assert.ok(a && b && c);
    await a.crash();
    await b.cluster.declareOver(a.place, 'its power is off', never);
    await b.cluster.declareOver(a.place, 'its power is still off', never);
    assert.equal(await c.cluster.isOver(a.place, never), true);
    assert.equal((await memberOf(c, 'a'))?.isOver, true);
    assert.equal(await c.cluster.isOver(b.place, never), false);
  },

  async 'a node can’t declare its own boot over'(made) {
    const [a] = await joined(made, 'a');
    assert.ok(a);
    await rejects('refused', a.cluster.declareOver(a.place, 'of my own will', never));
    assert.equal(await a.cluster.isOver(a.place, never), false);
  },

  async 'a boot that nobody has heard of is not over'(made) {
    const [a] = await joined(made, 'a');
    assert.equal(await a?.cluster.isOver({ node: 'b', boot: 'never-seen' }, never), false);
  },

  async 'the lock of a silent node is given to nobody, until its boot is over'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    const held = await a.locks.acquire('x', never);
    await a.crash();
    const waiter = follow(b.locks.acquire('x', never));
    await eventually(async () => (await memberOf(b, 'a'))?.isUp === false);
    await settle(b.locks);
    assert.equal(waiter.isThere(), false, 'a silent node’s lock was given away');
    await b.cluster.declareOver(a.place, 'its power is off', never);
    await using lease = await waiter.lease;
    assert.ok(lease.token > held.token);
    assert.notEqual(lease.handover?.isOrderly, true, 'what was taken over counts as given back');
  },

  async 'a later boot of a node takes over what the one before held'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    await a.locks.acquire('x', never);
    await a.crash();
    await joined(made, 'a');
    await using lease = await b.locks.acquire('x', never);
    assert.ok(lease.remaining() > 0);
  },

  async 'a boot that is over gets no more locks, though it lives'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    const held = await a.locks.acquire('x', never);
    await b.cluster.declareOver(a.place, 'somebody believed so', never);
    // It hears of it without asking.
    await eventually(async () => held.lost.aborted);
    await rejects('unavailable', a.locks.acquire('y', never));
    assert.ok(a.cluster.trouble(), 'it does not say why it gets no locks');
    await (await b.locks.acquire('x', never))[Symbol.asyncDispose]();
    await held[Symbol.asyncDispose]();
  },

  async 'a node whose lock nobody has given back can’t be forgotten'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    await a.locks.acquire('x', never);
    await a.crash();
    await eventually(async () => (await memberOf(b, 'a'))?.isUp === false);
    await rejects('refused', b.cluster.forget('a', never));
    assert.ok(await memberOf(b, 'a'));
  },

  async 'where all is well there is no trouble, and nothing to recover'(made) {
    const [a] = await joined(made, 'a');
    assert.ok(a);
    assert.equal(a.cluster.trouble(), undefined);
    await rejects('refused', a.cluster.recover(never));
    await (await a.locks.acquire('x', never))[Symbol.asyncDispose]();
  },
};

export function forgettingChecks<T extends ClusterUnderTest>(
  forget: (made: T, work: () => Promise<void>) => Promise<void>,
): Checks<T> {
  return {
    async 'a store that forgot gives no lock to anybody until it is recovered'(made) {
      const [a, b] = await joined(made, 'a', 'b');
      assert.ok(a && b);
      await using lease = await a.locks.acquire('x', never);
      await forget(made, async () => {
        await (await b.locks.acquire('y', never))[Symbol.asyncDispose]();
      });
      for (const { cluster } of [a, b]) await eventually(async () => cluster.trouble()?.state === 'halted');
      assert.equal(lease.lost.aborted, true, 'a lock in a store that forgot is held on to');
      for (const { locks } of [a, b]) await rejects('unavailable', locks.acquire('z', never));
      await a.cluster.recover(never);
      for (const { cluster } of [a, b]) await eventually(async () => cluster.trouble() === undefined);
      await using after = await b.locks.acquire('x', never);
      assert.ok(after.token > lease.token, `the token went from ${lease.token} to ${after.token}`);
      await rejects('refused', b.cluster.recover(never));
    },
  };
}
