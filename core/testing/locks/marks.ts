// Marks, as facts: what the last holder left is what the next one is handed.
import assert from 'node:assert/strict';
import type { Handover, Locks } from '../../capabilities/locks.ts';
import { type Check, never } from '../case.ts';

/** Holds a lock once, leaving these marks, and answers with what was handed over. */
export async function holdOnce(locks: Locks, ...marks: readonly string[]): Promise<Handover | undefined> {
  await using lease = await locks.acquire('a', never);
  for (const mark of marks) lease.leave(mark);
  return lease.handover;
}

export const markChecks: Readonly<Record<string, Check<{ readonly locks: Locks }>>> = {
  async 'the first holder finds no mark, and all in order'({ locks }) {
    assert.deepEqual(await holdOnce(locks), { mark: undefined, isOrderly: true });
  },

  async 'the next holder is handed the mark that was left'({ locks }) {
    await holdOnce(locks, 'seven: 4711, "quoted"\n');
    assert.deepEqual(await holdOnce(locks), { mark: 'seven: 4711, "quoted"\n', isOrderly: true });
  },

  async 'of several marks the last one counts'({ locks }) {
    await holdOnce(locks, 'one', 'two');
    assert.deepEqual(await holdOnce(locks), { mark: 'two', isOrderly: true });
  },

  async 'who leaves no mark hands on the one before'({ locks }) {
    await holdOnce(locks, 'one');
    await holdOnce(locks);
    assert.deepEqual(await holdOnce(locks), { mark: 'one', isOrderly: true });
  },

  async 'each name has a mark of its own'({ locks }) {
    await holdOnce(locks, 'one');
    await using other = await locks.acquire('b', never);
    assert.deepEqual(other.handover, { mark: undefined, isOrderly: true });
  },
};
