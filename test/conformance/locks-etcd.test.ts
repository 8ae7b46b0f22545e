// etcd-lock's Locks on a real etcd, and over the store in memory on which its protocol is tried out.
import { test } from 'uvu';
import { type LocksSubject, type LocksUnderTest, locksConformance } from '../../core/testing/index.ts';
import { startEtcd } from '../fixtures/etcd.ts';
import { type Nodes, nodesInMemory, nodesOnEtcd, type TestNode } from '../fixtures/etcd-nodes.ts';
import { register } from './uvu.ts';

const etcd = await startEtcd();
test.after(async () => await etcd[Symbol.asyncDispose]());

interface ClusterLocks extends LocksUnderTest {
  readonly nodes: Nodes;
  readonly node: TestNode;
}

register([
  ...locksConformance(subject('etcd-lock', () => nodesOnEtcd(etcd, { ttl: 5 }))),
  ...locksConformance(subject('etcd-lock in memory', () => nodesInMemory())),
]);

function subject(name: string, cluster: () => Nodes): LocksSubject<ClusterLocks> {
  return {
    name,
    keepsMarks: true,
    async make() {
      const nodes = cluster();
      const node = await nodes.open();
      return { nodes, node, locks: node.locks, [Symbol.asyncDispose]: async () => await nodes[Symbol.asyncDispose]() };
    },
    another: async ({ nodes }) => (await nodes.open()).locks,
    async crash({ nodes, node }) {
      await node.crash();
      const { id, stateDir } = node;
      return (await nodes.open({ id, stateDir })).locks;
    },
  };
}
