// etcd-lock's Cluster on a real etcd, and over the store in memory on which its protocol is tried out.
import { randomUUID } from 'node:crypto';
import { test } from 'uvu';
import { type ClusterUnderTest, clusterConformance } from '../../core/testing/index.ts';
import { startEtcd } from '../fixtures/etcd.ts';
import { type Nodes, nodesInMemory, nodesOnEtcd } from '../fixtures/etcd-nodes.ts';
import { createMemoryStore, type MemoryStore } from '../fixtures/memory-kv.ts';
import { register } from './uvu.ts';

const etcd = await startEtcd();
test.after(async () => await etcd[Symbol.asyncDispose]());

interface InMemory extends ClusterUnderTest {
  readonly store: MemoryStore;
}

register([
  ...clusterConformance({
    name: 'etcd-lock',
    make: async () => clusterOf(nodesOnEtcd(etcd, { ttl: 5 })),
    async forget(_made, work) {
      const snapshot = await etcd.snapshot();
      await work();
      await etcd.restore(snapshot);
    },
  }),
  ...clusterConformance<InMemory>({
    name: 'etcd-lock in memory',
    async make() {
      const store = createMemoryStore();
      return { store, ...clusterOf(nodesInMemory(store)) };
    },
    async forget({ store }, work) {
      const restore = store.snapshot();
      await work();
      restore();
    },
  }),
]);

function clusterOf(nodes: Nodes): ClusterUnderTest {
  const machines = new Map<string, { stateDir: string }>();
  return {
    async open(id) {
      const boot = randomUUID();
      const node = await nodes.open({ id, boot, ...machines.get(id) });
      machines.set(id, { stateDir: node.stateDir });
      return { ...node, place: { node: id, boot } };
    },
    [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose](),
  };
}
