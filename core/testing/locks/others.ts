// Locks that several processes have, as facts, among them what becomes of the lock of one that died.
import assert from 'node:assert/strict';
import type { Locks } from '../../capabilities/locks.ts';
import { type Check, never } from '../case.ts';
import { holdOnce } from './marks.ts';
import { follow, settle } from './waiting.ts';

type Checks<T> = Readonly<Record<string, Check<T>>>;

export function anotherChecks<T extends { readonly locks: Locks }>(
  another: (made: T) => Promise<Locks>,
  keepsMarks: boolean,
): Checks<T> {
  return {
    async 'another process waits for a lock until it is given back'(made) {
      const others = await another(made);
      const first = await made.locks.acquire('a', never);
      const second = follow(others.acquire('a', never));
      await settle(others);
      assert.equal(second.isThere(), false, 'two processes had the same lock');
      await first[Symbol.asyncDispose]();
      const lease = await second.lease;
      assert.ok(lease.token > first.token, `the token went from ${first.token} to ${lease.token}`);
      await lease[Symbol.asyncDispose]();
    },

    async 'processes that wait are served in order of arrival'(made) {
      const others = await another(made);
      const first = await made.locks.acquire('a', never);
      const served: string[] = [];
      const waiters: Promise<void>[] = [];
      for (const [name, locks] of [
        ['one', others],
        ['two', made.locks],
        ['three', others],
      ] as const) {
        const come = async () => {
          await using _lease = await locks.acquire('a', never);
          served.push(name);
        };
        waiters.push(come());
        // Until it stands in the line.
        await settle(locks);
      }
      await first[Symbol.asyncDispose]();
      await Promise.all(waiters);
      assert.deepEqual(served, ['one', 'two', 'three']);
    },

    async 'the domain is the same for all processes'(made) {
      assert.equal((await another(made)).domain, made.locks.domain);
    },

    ...(keepsMarks
      ? {
          async 'a mark passes on to another process'(made) {
            await holdOnce(made.locks, 'one');
            assert.deepEqual(await holdOnce(await another(made)), { mark: 'one', isOrderly: true });
          },
        }
      : {}),
  } satisfies Checks<T>;
}

export function crashChecks<T extends { readonly locks: Locks }>(
  crash: (made: T) => Promise<Locks>,
  keepsMarks: boolean,
): Checks<T> {
  return {
    async 'what a process held that is over is given to the next'(made) {
      const lost = await made.locks.acquire('a', never);
      const later = await crash(made);
      await using lease = await later.acquire('a', never);
      assert.ok(lease.token > lost.token, `the token went from ${lost.token} to ${lease.token}`);
    },

    ...(keepsMarks
      ? {
          async 'after a process that is over nothing is in order, until a mark is left'(made) {
            await holdOnce(made.locks, 'one');
            const lost = await made.locks.acquire('a', never);
            lost.leave('two');
            const later = await crash(made);
            assert.deepEqual(await holdOnce(later), { mark: 'one', isOrderly: false });
            assert.deepEqual(await holdOnce(later, 'three'), { mark: 'one', isOrderly: false });
            assert.deepEqual(await holdOnce(later), { mark: 'three', isOrderly: true });
          },
        }
      : {}),
  } satisfies Checks<T>;
}
