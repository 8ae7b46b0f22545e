// What Locks promise: core/capabilities/locks.ts, as facts.
import assert from 'node:assert/strict';
import type { Locks } from '../capabilities/locks.ts';
import { type Case, type Check, casesOf, never, rejects, type Subject } from './case.ts';
import { markChecks } from './locks/marks.ts';
import { anotherChecks, crashChecks } from './locks/others.ts';
import { follow, settle } from './locks/waiting.ts';

export interface LocksUnderTest extends AsyncDisposable {
  readonly locks: Locks;
}

/** Beside the factory, what else the suite can find out where you can help it; what isn't given isn't tested. */
export interface LocksSubject<T extends LocksUnderTest> extends Subject<T> {
  /** Marks pass from holder to holder. */
  readonly keepsMarks?: boolean;
  /** The same locks as another process has them. */
  another?(made: T): Promise<Locks>;
  /**
   * Ends the process that `made` stands for as a power cut would, and proves that it is over. Answers with the same locks as a
   * later process has them.
   */
  crash?(made: T): Promise<Locks>;
}

/** The cases that any provider of Locks must pass. */
export function locksConformance<T extends LocksUnderTest>(subject: LocksSubject<T>): readonly Case[] {
  const { keepsMarks = false, another, crash } = subject;
  return casesOf<T>(subject, {
    ...checks,
    ...(keepsMarks ? markChecks : {}),
    ...(another ? anotherChecks(another, keepsMarks) : {}),
    ...(crash ? crashChecks(crash, keepsMarks) : {}),
  });
}

const checks: Readonly<Record<string, Check<LocksUnderTest>>> = {
  async 'the domain is a kind and an id'({ locks }) {
    assert.match(locks.domain, /^[a-z][a-z-]*\/[A-Za-z0-9_.:-]+$/);
  },

  async 'a lease that is held is proven and not lost'({ locks }) {
    await using lease = await locks.acquire('a', never);
    assert.ok(lease.remaining() > 0, 'a fresh lease is proven for some time');
    assert.equal(lease.lost.aborted, false);
    await lease.prove();
    await lease.prove();
  },

  async 'a name has one holder at a time'({ locks }) {
    let holders = 0;
    let most = 0;
    const hold = async () => {
      await using _lease = await locks.acquire('a', never);
      holders += 1;
      most = Math.max(most, holders);
      await settle(locks);
      holders -= 1;
    };
    await Promise.all([hold(), hold(), hold()]);
    assert.equal(most, 1, 'two had the same lock at once');
  },

  async 'a lock is not re-entrant: its holder waits for it like anybody else'({ locks }) {
    const first = await locks.acquire('a', never);
    const second = follow(locks.acquire('a', never));
    await settle(locks);
    assert.equal(second.isThere(), false, 'the holder was given its own lock again');
    await first[Symbol.asyncDispose]();
    await (await second.lease)[Symbol.asyncDispose]();
  },

  async 'another name is not held up'({ locks }) {
    await using _a = await locks.acquire('a', never);
    await using b = await locks.acquire('b', never);
    assert.ok(b.remaining() > 0);
  },

  async 'who waits is served in order of arrival'({ locks }) {
    const first = await locks.acquire('a', never);
    const served: string[] = [];
    const waiters = ['one', 'two', 'three'].map(async (name) => {
      await using _lease = await locks.acquire('a', never);
      served.push(name);
    });
    await settle(locks);
    await first[Symbol.asyncDispose]();
    await Promise.all(waiters);
    assert.deepEqual(served, ['one', 'two', 'three']);
  },

  async 'the token grows with every acquisition'({ locks }) {
    const tokens: bigint[] = [];
    for (let round = 0; round < 3; round += 1) {
      await using lease = await locks.acquire('a', never);
      tokens.push(lease.token);
    }
    const [first = 0n, second = 0n, third = 0n] = tokens;
    assert.ok(first < second && second < third, `tokens were ${tokens.join(', ')}`);
  },

  async 'a signal ends the waiting, and who waits behind is served'({ locks }) {
    const first = await locks.acquire('a', never);
    const patience = new AbortController();
    const impatient = locks.acquire('a', patience.signal);
    const behind = locks.acquire('a', never);
    await settle(locks);
    patience.abort();
    await rejects('cancelled', impatient);
    await first[Symbol.asyncDispose]();
    await (await behind)[Symbol.asyncDispose]();
  },

  async 'a signal that has fired gets no lock, though it is free'({ locks }) {
    await rejects('cancelled', locks.acquire('a', AbortSignal.abort()));
    await using lease = await locks.acquire('a', never);
    assert.ok(lease.remaining() > 0);
  },

  async 'a signal that fires once the lock is held takes nothing away'({ locks }) {
    const caller = new AbortController();
    const lease = await locks.acquire('a', caller.signal);
    const waiter = follow(locks.acquire('a', never));
    caller.abort();
    await settle(locks);
    assert.equal(lease.lost.aborted, false, 'the lease was lost with its caller');
    assert.equal(waiter.isThere(), false, 'the lock went to another with its caller');
    await lease[Symbol.asyncDispose]();
    await (await waiter.lease)[Symbol.asyncDispose]();
  },

  async 'giving back twice is giving back once'({ locks }) {
    const first = await locks.acquire('a', never);
    await first[Symbol.asyncDispose]();
    const second = await locks.acquire('a', never);
    await first[Symbol.asyncDispose]();
    const third = follow(locks.acquire('a', never));
    await settle(locks);
    assert.equal(third.isThere(), false, 'a lease that had ended gave away the next holder’s lock');
    await second[Symbol.asyncDispose]();
    await (await third.lease)[Symbol.asyncDispose]();
  },
};
