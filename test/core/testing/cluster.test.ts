// The suite of clusters can fail: each of its cases does for a cluster that breaks that one promise.
import { randomUUID } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Cluster } from '../../../core/capabilities/cluster.ts';
import type { Lease, Locks } from '../../../core/capabilities/locks.ts';
import { SltvError } from '../../../core/errors.ts';
import { type ClusterUnderTest, clusterConformance, type NodeUnderTest } from '../../../core/testing/index.ts';
import { type Nodes, nodesInMemory } from '../../fixtures/etcd-nodes.ts';
import { createMemoryStore, type MemoryStore } from '../../fixtures/memory-kv.ts';
import { factOf, failures } from '../../fixtures/mutants.ts';

const never = new AbortController().signal;

/** What is put in place of a node's own. */
interface Spoilt {
  readonly cluster?: Partial<Cluster>;
  readonly locks?: Partial<Locks>;
}
type Spoil = (node: NodeUnderTest) => Spoilt;

const all: Nodes[] = [];
const suiteOf = (spoil: Spoil = () => ({})) =>
  clusterConformance<ClusterUnderTest & { store: MemoryStore }>({
    name: 'spoilt',
    patience: 700,
    async make() {
      const store = createMemoryStore();
      const nodes = nodesInMemory(store);
      all.push(nodes);
      const remembered = new Map<string, { stateDir: string }>();
      return {
        store,
        async open(id) {
          const boot = randomUUID();
          const opened = await nodes.open({ id, boot, ...remembered.get(id) });
          remembered.set(id, { stateDir: opened.stateDir });
          const node = { ...opened, place: { node: id, boot } };
          const { cluster, locks } = spoil(node);
          return { ...node, cluster: { ...node.cluster, ...cluster }, locks: { ...node.locks, ...locks } };
        },
        [Symbol.asyncDispose]: async () => await nodes[Symbol.asyncDispose](),
      };
    },
    async forget({ store }, work) {
      const restore = store.snapshot();
      await work();
      restore();
    },
  });

const told =
  (change: (cluster: Cluster) => Partial<Cluster>): Spoil =>
  ({ cluster }) => ({ cluster: change(cluster) });
const asked = (ask: (own: Cluster['ask']) => Cluster['ask']): Spoil => told((cluster) => ({ ask: ask(cluster.ask) }));
const kindly = (kind: 'unavailable' | 'refused' | 'internal') => (error: unknown) => {
  throw new SltvError(kind, 'test/spoilt', error instanceof Error ? error.message : 'it failed');
};

const MUTANTS: readonly { wrong: string; spoil: Spoil; caughtBy: string }[] = [
  {
    wrong: 'members of another version',
    spoil: told(({ members }) => ({ members: async (s) => (await members(s)).map((m) => ({ ...m, version: '0' })) })),
    caughtBy: 'who has joined is a member',
  },
  {
    wrong: 'somebody else is a member',
    spoil: told(({ members }) => ({
      members: async (s) => (await members(s)).flatMap((member) => [member, { ...member, node: 'somebody' }]),
    })),
    caughtBy: 'who has not joined',
  },
  { wrong: 'pools that are not told', spoil: told(() => ({ tell: () => {} })), caughtBy: 'what a node sees of pools' },
  {
    wrong: 'silence is the end',
    spoil: told(({ members }) => ({
      isOver: async ({ boot }) => (await members(never)).some((member) => member.boot === boot && !member.isUp),
    })),
    caughtBy: 'a member that is silent',
  },
  {
    wrong: 'nothing is ever over',
    spoil: told(() => ({ isOver: async () => false })),
    caughtBy: 'a later boot of a node is up',
  },
  {
    wrong: 'who is up is forgotten',
    spoil: told(() => ({ forget: async () => {} })),
    caughtBy: 'a node that is up can’t be forgotten',
  },
  {
    wrong: 'nobody is forgotten',
    spoil: told(() => ({ forget: async () => {} })),
    caughtBy: 'a node that is not up is forgotten',
  },
  {
    wrong: 'signals that are ignored',
    spoil: told(({ declareOver }) => ({ declareOver: (place, proof) => declareOver(place, proof, never) })),
    caughtBy: 'a signal that has fired',
  },
  {
    wrong: 'who asks is not said',
    spoil: told(({ answer }) => ({
      answer: (question, reply) => answer(question, (what) => reply(what, { node: 'x', boot: 'y' })),
    })),
    caughtBy: 'a question reaches the node',
  },
  {
    wrong: 'every answer is the first one’s',
    spoil: () => {
      const first: Promise<unknown> = Promise.resolve({ n: 0 });
      // The suite asks one question only, whose answers are such.
      return { cluster: { ask: () => first as never } };
    },
    caughtBy: 'many questions at once',
  },
  {
    wrong: 'nobody asks himself',
    spoil: ({ cluster, place }) => ({
      cluster: {
        ask: (node, ...rest) =>
          node === place.node ? Promise.reject(new Error('it is me')) : cluster.ask(node, ...rest),
      },
    }),
    caughtBy: 'a node can ask itself',
  },
  {
    wrong: 'errors lose their kind',
    spoil: asked(
      (ask) =>
        (...args) =>
          ask(...args).catch(kindly('internal')),
    ),
    caughtBy: 'what the answer throws',
  },
  {
    wrong: 'all errors are alike',
    spoil: asked(
      (ask) =>
        (...args) =>
          ask(...args).catch(kindly('unavailable')),
    ),
    caughtBy: 'a defect of the answer is internal',
  },
  {
    wrong: 'who is not there refuses',
    spoil: asked(
      (ask) =>
        (...args) =>
          ask(...args).catch(kindly('refused')),
    ),
    caughtBy: 'a node that is not there',
  },
  {
    wrong: 'who waits for an answer waits on',
    spoil: asked((ask) => (node, question, what) => ask(node, question, what, never)),
    caughtBy: 'a signal ends the waiting for an answer',
  },
  {
    wrong: 'declarations without effect',
    spoil: told(() => ({ declareOver: async () => {} })),
    caughtBy: 'a boot that is declared over',
  },
  {
    wrong: 'a boot ends itself',
    spoil: told(() => ({ declareOver: async () => {} })),
    caughtBy: 'a node can’t declare its own boot',
  },
  {
    wrong: 'who is unknown is over',
    spoil: told(() => ({ isOver: async () => true })),
    caughtBy: 'a boot that nobody has heard of',
  },
  {
    wrong: 'locks of each node’s own',
    spoil: ({ locks, place }) => ({
      locks: { acquire: (name, signal) => locks.acquire(name === 'x' ? place.node : name, signal) },
    }),
    caughtBy: 'the lock of a silent node',
  },
  {
    wrong: 'no lock is ever taken over',
    spoil: ({ locks, place }) => ({
      locks: { acquire: (name, signal) => (place.node === 'b' ? new Promise(() => {}) : locks.acquire(name, signal)) },
    }),
    caughtBy: 'a later boot of a node takes over',
  },
  {
    wrong: 'who is over goes on',
    spoil: ({ locks }) => {
      const given: Lease[] = [];
      return {
        locks: {
          async acquire(name, signal) {
            const lease = given[0] && name === 'y' ? given[0] : await locks.acquire(name, signal);
            given.push(lease);
            return lease;
          },
        },
      };
    },
    caughtBy: 'a boot that is over gets no more locks',
  },
  {
    wrong: 'a holder is forgotten',
    spoil: told(() => ({ forget: async () => {} })),
    caughtBy: 'a node whose lock nobody has given back',
  },
  {
    wrong: 'always something to recover',
    spoil: told(() => ({ recover: async () => {} })),
    caughtBy: 'where all is well',
  },
  {
    wrong: 'trouble that is not told',
    spoil: told(() => ({ trouble: () => undefined })),
    caughtBy: 'a store that forgot',
  },
];

for (const { wrong, spoil, caughtBy } of MUTANTS) {
  test(`the suite of clusters catches: ${wrong}`, async () => {
    const cases = suiteOf(spoil).filter(({ title }) => factOf(title).startsWith(caughtBy));
    assert.is(cases.length, 1, `'${caughtBy}' is no case`);
    const failed = await failures(cases);
    // A case that did not end in time has not given back what it had.
    for (const nodes of all.splice(0)) await nodes[Symbol.asyncDispose]();
    assert.is(failed.length, 1, `'${caughtBy}' held`);
  });
}

test('every case of the suite of clusters fails for some mutant', () => {
  const unproven = suiteOf()
    .map(({ title }) => factOf(title))
    .filter((fact) => !MUTANTS.some(({ caughtBy }) => fact.startsWith(caughtBy)));
  assert.equal(unproven, []);
});

test.run();
