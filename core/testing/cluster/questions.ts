// Questions between nodes, as facts.
import assert from 'node:assert/strict';
import * as v from 'valibot';
import { type Place, question } from '../../capabilities/cluster.ts';
import { SltvError } from '../../errors.ts';
import { type Check, never, rejects } from '../case.ts';
import type { ClusterUnderTest } from '../cluster.ts';
import { joined } from './nodes.ts';

const Double = question('testing/double', v.object({ n: v.number(), of: v.string() }), v.object({ n: v.number() }));

export const questionChecks: Readonly<Record<string, Check<ClusterUnderTest>>> = {
  async 'a question reaches the node, with who asked, and its answer comes back'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    const heard: { asked: { n: number; of: string }; by: Place }[] = [];
    b.cluster.answer(Double, async (asked, by) => {
      heard.push({ asked, by });
      return { n: asked.n * 2 };
    });
    const asked = { n: 21, of: 'ä "quoted" \n word' };
    assert.deepEqual(await a.cluster.ask('b', Double, asked, never), { n: 42 });
    assert.deepEqual(heard[0], { asked, by: a.place });
  },

  async 'many questions at once get each its own answer'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    for (const { cluster } of [a, b]) cluster.answer(Double, async ({ n }) => ({ n: n * 2 }));
    const numbers = Array.from({ length: 10 }, (_, n) => n);
    const answers = await Promise.all([
      ...numbers.map((n) => a.cluster.ask('b', Double, { n, of: '' }, never)),
      ...numbers.map((n) => b.cluster.ask('a', Double, { n, of: '' }, never)),
    ]);
    assert.deepEqual(
      answers.map(({ n }) => n),
      [...numbers, ...numbers].map((n) => n * 2),
    );
  },

  async 'a node can ask itself'(made) {
    const [a] = await joined(made, 'a');
    a?.cluster.answer(Double, async ({ n }) => ({ n: n * 2 }));
    assert.deepEqual(await a?.cluster.ask('a', Double, { n: 1, of: '' }, never), { n: 2 });
  },

  async 'what the answer throws comes back with its kind, code, sentence and hint'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    const thrown = new SltvError('exhausted', 'testing/full', 'there is no more', { hint: 'make some' });
    b.cluster.answer(Double, () => Promise.reject(thrown));
    const { code, message, hint } = await rejects('exhausted', a.cluster.ask('b', Double, { n: 1, of: '' }, never));
    assert.deepEqual({ code, message, hint }, { code: thrown.code, message: thrown.message, hint: thrown.hint });
  },

  async 'a defect of the answer is internal, and a question that nobody there knows is unsupported'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    await rejects('unsupported', a.cluster.ask('b', Double, { n: 1, of: '' }, never));
    b.cluster.answer(Double, () => Promise.reject(new Error('a defect')));
    await rejects('internal', a.cluster.ask('b', Double, { n: 1, of: '' }, never));
  },

  async 'a node that is not there does not answer: unavailable'(made) {
    const [a] = await joined(made, 'a');
    assert.ok(a);
    await rejects('unavailable', a.cluster.ask('b', Double, { n: 1, of: '' }, never));
    await made.open('b');
    await rejects('unavailable', a.cluster.ask('b', Double, { n: 1, of: '' }, never));
  },

  async 'a signal ends the waiting for an answer'(made) {
    const [a, b] = await joined(made, 'a', 'b');
    assert.ok(a && b);
    const caller = new AbortController();
    b.cluster.answer(Double, () => {
      caller.abort();
      return new Promise(() => {});
    });
    await rejects('cancelled', a.cluster.ask('b', Double, { n: 1, of: '' }, caller.signal));
    await rejects('cancelled', a.cluster.ask('b', Double, { n: 1, of: '' }, AbortSignal.abort()));
  },
};
