// Who is there, as facts.
import assert from 'node:assert/strict';
import { type Check, never, rejects } from '../case.ts';
import type { ClusterUnderTest } from '../cluster.ts';
import { eventually, joined, memberOf, SELF } from './nodes.ts';

export const memberChecks: Readonly<Record<string, Check<ClusterUnderTest>>> = {
  async 'who has joined is a member that is up, with all it said of itself'(made) {
    const before = Date.now();
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    const members = await b.cluster.members(never);
    assert.deepEqual(members.map(({ node }) => node).sort(), ['a', 'b']);
    const { lastSeen, ...facts } = members.find(({ node }) => node === 'a') ?? assert.fail('a is no member');
    assert.deepEqual(facts, { ...SELF, ...a.place, pools: [], isUp: true, isOver: false });
    // Clocks of two hosts differ, and a time may be kept in whole seconds.
    assert.ok(lastSeen.getTime() >= before - 60_000, `a was seen last at ${lastSeen.toISOString()}`);
  },

  async 'who has not joined is no member'(made) {
    const [a] = await joined(made, 'a');
    await made.open('b');
    assert.deepEqual(
      (await a?.cluster.members(never))?.map(({ node }) => node),
      ['a'],
    );
  },

  async 'what a node sees of pools is told to all, and again when it changes'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    const sound = { name: 'vg0', id: 'x-1' };
    const broken = { name: 'vg1', id: 'x-2', trouble: 'it belongs to another cluster' };
    for (const pools of [[sound, broken], [sound], [sound]]) {
      a.cluster.tell(pools);
      await eventually(async () => (await memberOf(b, 'a'))?.pools.length === pools.length);
      assert.deepEqual((await memberOf(b, 'a'))?.pools, pools);
    }
  },

  async 'a member that is silent is not up, and neither gone nor over'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    const seen = (await memberOf(b, 'a'))?.lastSeen;
    assert.ok(seen);
    await a.crash();
    await eventually(async () => (await memberOf(b, 'a'))?.isUp === false);
    const then = await memberOf(b, 'a');
    assert.equal(then?.isOver, false, 'silence was taken for a proof');
    assert.ok(then && then.lastSeen >= seen, `it was seen at ${seen.toISOString()}, and now not since before that`);
    assert.equal(await b.cluster.isOver(a.place, never), false, 'silence was taken for a proof');
  },

  async 'a later boot of a node is up, and the one before is over'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    await a.crash();
    const [later] = await joined(made, 'a');
    assert.ok(later);
    assert.equal((await memberOf(b, 'a'))?.boot, later.place.boot);
    assert.equal(await b.cluster.isOver(a.place, never), true);
    assert.equal(await b.cluster.isOver(later.place, never), false);
  },

  async 'a node that is up can’t be forgotten'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    await rejects('refused', b?.cluster.forget('a', never) ?? assert.fail());
    assert.ok(a && (await memberOf(a, 'a'))?.isUp);
  },

  async 'a node that is not up is forgotten; twice is once, and it may join again'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    await a.crash();
    await eventually(async () => (await memberOf(b, 'a'))?.isUp === false);
    await b.cluster.forget('a', never);
    await b.cluster.forget('a', never);
    await b.cluster.forget('nobody', never);
    assert.equal(await memberOf(b, 'a'), undefined);
    await joined(made, 'a');
    assert.equal((await memberOf(b, 'a'))?.isUp, true);
  },

  async 'a signal that has fired ends every call'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    const fired = AbortSignal.abort();
    await rejects('cancelled', a.cluster.members(fired));
    await rejects('cancelled', a.cluster.isOver(b.place, fired));
    await rejects('cancelled', a.cluster.declareOver(b.place, 'it burned down', fired));
    await rejects('cancelled', a.cluster.forget('b', fired));
    await rejects('cancelled', a.cluster.recover(fired));
    assert.equal(await a.cluster.isOver(b.place, never), false, 'it was declared over all the same');
  },
};
