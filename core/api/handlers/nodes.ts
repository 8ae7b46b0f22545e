// The nodes that share pools, and the cluster that they make.
import type { ServiceImpl } from '@connectrpc/connect';
import { Nodes, type NodeView } from '../../capabilities/nodes.ts';
import type { Call } from '../../kernel/verb.ts';
import { callOf } from '../calls.ts';
import type { ClusterService } from '../gen/sltv/v1/cluster_pb.ts';
import type { NodeService } from '../gen/sltv/v1/node_pb.ts';
import { named, toNode } from '../messages.ts';
import { type Daemon, mustHave } from './daemon.ts';

export function nodeHandlers(daemon: Daemon): ServiceImpl<typeof NodeService> {
  const nodes = () => mustHave(daemon, Nodes, 'keeps nodes');
  return {
    listNodes: async (_request, context) => ({ nodes: (await nodesOf(daemon, callOf(context))).map(toNode) }),

    fenceNode: async ({ name, confirmed, byHand }, context) => {
      const node = await nodes().fence({ node: named(name, 'name'), confirmed, byHand }, callOf(context));
      return { node: toNode(node) };
    },

    retireNode: async ({ name }, context) => {
      await nodes().retire({ node: named(name, 'name') }, callOf(context));
      return {};
    },
  };
}

export function clusterHandlers(daemon: Daemon): ServiceImpl<typeof ClusterService> {
  return {
    recoverCluster: async (_request, context) => ({
      nodes: [...(await mustHave(daemon, Nodes, 'keeps nodes').recover(callOf(context)))],
    }),
  };
}

/** All nodes; this one with the version of the daemon that answers, also where it is no member of anything. */
export async function nodesOf(daemon: Daemon, call: Call): Promise<readonly NodeView[]> {
  const views = await mustHave(daemon, Nodes, 'keeps nodes').list(call);
  return views.map((view) => (view.isSelf ? { ...view, version: daemon.version } : view));
}
