import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lease, Locks } from '../../../core/capabilities/locks.ts';
import { type Case, type LocksUnderTest, locksConformance } from '../../../core/testing/index.ts';
import { createLocalLocks } from '../../../plugins/local-lock/locks.ts';
import { type Nodes, nodesInMemory, type TestNode } from '../../fixtures/etcd-nodes.ts';
import { factOf, failures } from '../../fixtures/mutants.ts';

const never = new AbortController().signal;
const honest = () => createLocalLocks('0123456789abcdef0123456789abcdef', never);
const suiteOf = (make: () => Locks) =>
  locksConformance({
    name: 'spoilt',
    patience: 200,
    make: async () => ({ locks: make(), [Symbol.asyncDispose]: async () => {} }),
  });

/** What each mutant does wrong, and a fact that must not hold of it. */
const MUTANTS: readonly { wrong: string; make: () => Locks; caughtBy: string }[] = [
  { wrong: 'a domain without an id', make: spoilt(() => ({ domain: 'local' })), caughtBy: 'the domain' },
  {
    wrong: 'leases that prove nothing',
    make: spoilt((locks) => ({
      acquire: async (...args) => ({ ...(await locks.acquire(...args)), remaining: () => 0 }),
    })),
    caughtBy: 'a lease that is held is proven',
  },
  {
    wrong: 'leases that are lost from the start',
    make: spoiltLease(() => ({ lost: AbortSignal.abort() })),
    caughtBy: 'a lease that is held is proven',
  },
  {
    wrong: 'everybody gets it',
    make: spoilt((locks) => {
      let count = 0;
      return {
        acquire(_name, signal) {
          count += 1;
          return locks.acquire(String(count), signal);
        },
      };
    }),
    caughtBy: 'a name has one holder at a time',
  },
  { wrong: 'its holder gets it again', make: reentrant, caughtBy: 'a lock is not re-entrant' },
  {
    wrong: 'one lock for all names',
    make: spoilt((locks) => ({ acquire: (_name, signal) => locks.acquire('all', signal) })),
    caughtBy: 'another name is not held up',
  },
  { wrong: 'last come, first served', make: lastFirst, caughtBy: 'who waits is served in order of arrival' },
  { wrong: 'tokens that stay', make: spoiltLease(() => ({ token: 1n })), caughtBy: 'the token grows' },
  {
    wrong: 'signals that are ignored',
    make: spoilt((locks) => ({ acquire: (name) => locks.acquire(name, never) })),
    caughtBy: 'a signal ends the waiting',
  },
  {
    wrong: 'who gave up is still served',
    make: spoilt((locks) => ({ acquire: (name, signal) => giveUpButStay(locks, name, signal) })),
    caughtBy: 'a signal ends the waiting',
  },
  {
    wrong: 'a free lock is given to whoever has left',
    make: spoilt((locks) => ({
      acquire: (name, signal) => locks.acquire(name, signal.aborted ? never : signal),
    })),
    caughtBy: 'a signal that has fired gets no lock',
  },
  {
    wrong: 'a lease ends with its caller',
    make: spoilt((locks) => ({
      async acquire(name, signal) {
        const lease = await locks.acquire(name, signal);
        signal.addEventListener('abort', () => void lease[Symbol.asyncDispose]());
        return lease;
      },
    })),
    caughtBy: 'a signal that fires once the lock is held',
  },
  { wrong: 'giving back twice takes the next one’s', make: carelessReturn, caughtBy: 'giving back twice' },
];

for (const { wrong, make, caughtBy } of MUTANTS) {
  test(`the locks' suite catches: ${wrong}`, async () => {
    const failed = await failures(suiteOf(make));
    assert.ok(
      failed.some((fact) => fact.startsWith(caughtBy)),
      `'${caughtBy}' held; these did not: ${failed.join('; ')}`,
    );
  });
}

test('every case of the locks’ suite fails for some mutant', () => {
  const unproven = suiteOf(honest)
    .map(({ title }) => factOf(title))
    .filter((fact) => !MUTANTS.some(({ caughtBy }) => fact.startsWith(caughtBy)));
  assert.equal(unproven, []);
});

test('honest locks pass the suite', async () => {
  assert.equal(await failures(suiteOf(honest)), []);
});

/** As the suite sees locks that several processes have, with marks: the same ones, each spoilt in one way. */
function sharedSuiteOf(spoil: (locks: Locks) => Locks = (locks) => locks, isShared = true) {
  const others: Nodes[] = [];
  const nodesFor = (nodes: Nodes) => {
    if (isShared) return nodes;
    const other = nodesInMemory();
    others.push(other);
    return other;
  };
  return locksConformance<LocksUnderTest & { nodes: Nodes; node: TestNode }>({
    name: 'spoilt',
    patience: 500,
    keepsMarks: true,
    async make() {
      const nodes = nodesInMemory();
      const node = await nodes.open();
      return {
        nodes,
        node,
        locks: spoil(node.locks),
        async [Symbol.asyncDispose]() {
          for (const each of [nodes, ...others.splice(0)]) await each[Symbol.asyncDispose]();
        },
      };
    },
    another: async ({ nodes }) => spoil((await nodesFor(nodes).open()).locks),
    async crash({ nodes, node }) {
      await node.crash();
      const { id, stateDir } = node;
      return spoil((await nodesFor(nodes).open({ id, stateDir })).locks);
    },
  });
}

/** Locks whose leases hand over something else than they should. */
const handing =
  (handover: (lease: Lease, name: string) => Lease['handover']) =>
  (locks: Locks): Locks => ({
    ...locks,
    async acquire(name, signal) {
      const lease = await locks.acquire(name, signal);
      return { ...lease, handover: handover(lease, name) };
    },
  });

function firstMarkOnly(locks: Locks): Locks {
  return {
    ...locks,
    async acquire(name, signal) {
      const lease = await locks.acquire(name, signal);
      let isLeft = false;
      const leave = (mark: string) => {
        if (!isLeft) lease.leave(mark);
        isLeft = true;
      };
      return { ...lease, leave };
    },
  };
}

const SHARED_MUTANTS: readonly { wrong: string; suite: () => readonly Case[]; caughtBy: string }[] = [
  {
    wrong: 'marks that are lost',
    suite: () => sharedSuiteOf(handing(() => ({ mark: undefined, isOrderly: true }))),
    caughtBy: 'the next holder is handed',
  },
  {
    wrong: 'a mark out of nowhere',
    suite: () => sharedSuiteOf(handing(() => ({ mark: 'x', isOrderly: true }))),
    caughtBy: 'the first holder finds no mark',
  },
  {
    wrong: 'the first mark counts',
    suite: () => sharedSuiteOf(firstMarkOnly),
    caughtBy: 'of several marks the last one',
  },
  {
    wrong: 'nothing is ever in order',
    suite: () => sharedSuiteOf(handing(({ handover }) => handover && { ...handover, isOrderly: false })),
    caughtBy: 'who leaves no mark hands on',
  },
  {
    wrong: 'a mark for all names',
    suite: () =>
      sharedSuiteOf((locks) => ({
        ...locks,
        acquire: (name, signal) => locks.acquire(name === 'settle' ? name : 'all', signal),
      })),
    caughtBy: 'each name has a mark',
  },
  {
    wrong: 'all is always in order',
    suite: () => sharedSuiteOf(handing(({ handover }) => handover && { ...handover, isOrderly: true })),
    caughtBy: 'after a process that is over nothing is in order',
  },
  {
    wrong: 'every process has locks of its own',
    suite: () => sharedSuiteOf(undefined, false),
    caughtBy: 'another process waits for a lock',
  },
  {
    wrong: 'each has a domain of its own',
    suite: () => sharedSuiteOf(undefined, false),
    caughtBy: 'the domain is the same',
  },
  {
    wrong: 'a mark stays in its process',
    suite: () => sharedSuiteOf(undefined, false),
    caughtBy: 'a mark passes on to another process',
  },
  {
    wrong: 'who comes late is served first',
    suite: () => sharedSuiteOf(undefined, false),
    caughtBy: 'processes that wait are served',
  },
  {
    wrong: 'tokens that stay',
    suite: () =>
      sharedSuiteOf((locks) => ({
        ...locks,
        acquire: async (name, signal) => ({ ...(await locks.acquire(name, signal)), token: 1n }),
      })),
    caughtBy: 'what a process held that is over',
  },
];

for (const { wrong, suite, caughtBy } of SHARED_MUTANTS) {
  test(`the suite of shared locks catches: ${wrong}`, async () => {
    const cases = suite().filter(({ title }) => factOf(title).startsWith(caughtBy));
    assert.is(cases.length, 1);
    assert.is((await failures(cases)).length, 1, `'${caughtBy}' held`);
  });
}

test('every further case of the suite of shared locks fails for some mutant', () => {
  const base = new Set(suiteOf(honest).map(({ title }) => factOf(title)));
  const unproven = sharedSuiteOf()
    .map(({ title }) => factOf(title))
    .filter((fact) => !base.has(fact) && !SHARED_MUTANTS.some(({ caughtBy }) => fact.startsWith(caughtBy)));
  assert.equal(unproven, []);
});

function spoilt(spoil: (locks: Locks) => Partial<Locks>): () => Locks {
  return () => {
    const locks = honest();
    return { ...locks, ...spoil(locks) };
  };
}

function spoiltLease(spoil: (lease: Lease) => Partial<Lease>): () => Locks {
  return spoilt((locks) => ({
    async acquire(name, signal) {
      const lease = await locks.acquire(name, signal);
      return { ...lease, ...spoil(lease) };
    },
  }));
}

/** Counts its own leases of a name and hands out more of them. */
function reentrant(): Locks {
  const locks = honest();
  const held = new Map<string, { lease: Lease; count: number }>();
  return {
    ...locks,
    async acquire(name, signal) {
      const mine = held.get(name) ?? { lease: await locks.acquire(name, signal), count: 0 };
      held.set(name, mine);
      mine.count += 1;
      return {
        ...mine.lease,
        async [Symbol.asyncDispose]() {
          mine.count -= 1;
          if (mine.count > 0) return;
          held.delete(name);
          await mine.lease[Symbol.asyncDispose]();
        },
      };
    },
  };
}

/** Of locks that keep no marks. */
const unmarked = { prove: async () => {}, handover: undefined, leave: () => {} };

function lastFirst(): Locks {
  const waiting = new Map<string, (() => void)[]>();
  let token = 0n;
  return {
    domain: 'local/x',
    async acquire(name) {
      const stack = waiting.get(name);
      if (stack) await new Promise<void>((resolve) => stack.push(resolve));
      else waiting.set(name, []);
      token += 1n;
      const giveBack = async () => {
        const next = waiting.get(name)?.pop();
        if (next) next();
        else waiting.delete(name);
      };
      return { token, lost: never, remaining: () => 1, ...unmarked, [Symbol.asyncDispose]: giveBack };
    },
  };
}

/** Rejects in time, and takes its turn all the same, for ever. */
function giveUpButStay(locks: Locks, name: string, signal: AbortSignal): Promise<Lease> {
  const given = Promise.withResolvers<Lease>();
  signal.addEventListener('abort', () => given.reject(signal.reason));
  locks.acquire(name, never).then(given.resolve, given.reject);
  return given.promise;
}

/** Lets the next one in whenever anybody gives anything back. */
function carelessReturn(): Locks {
  const waiting = new Map<string, (() => void)[]>();
  let token = 0n;
  return {
    domain: 'local/x',
    async acquire(name) {
      const line = waiting.get(name);
      if (line) await new Promise<void>((resolve) => line.push(resolve));
      else waiting.set(name, []);
      token += 1n;
      const giveBack = async () => {
        const next = waiting.get(name)?.shift();
        if (next) next();
        else waiting.delete(name);
      };
      return { token, lost: never, remaining: () => 1, ...unmarked, [Symbol.asyncDispose]: giveBack };
    },
  };
}

test.run();
