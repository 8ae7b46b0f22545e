// sltv status
import type { ClusterStatus, NodeStatus } from '../client/index.ts';
import { verb } from '../kernel/verb.ts';
import { formatSize } from '../units.ts';
import { type Commands, command } from './command.ts';

const show = command(
  verb({
    about: "show this host's daemon and its pools, or the whole cluster",
    example: 'sltv status',
    role: 'viewer',
    args: {},
    options: { cluster: { type: 'flag', about: 'all nodes together' } },
    gives: 'item',
    result: {
      node: { type: 'text', about: "this host's name", optional: true },
      version: { type: 'text', about: "the daemon's", optional: true },
      cluster: { type: 'flag', about: 'whether pools are shared with other hosts' },
      leader: { type: 'text', about: 'the node that leads', optional: true },
      nodes: { type: 'text', about: 'all nodes and their versions', optional: true, list: true },
      pools: { type: 'text', about: 'free space', list: true },
      disks: { type: 'count', about: 'how many there are', optional: true },
      attachments: { type: 'count', about: 'how many of them are in a VM', optional: true },
    },
  }),
  async (input, at) => {
    const { sltv } = await at.client();
    return input.cluster ? ofCluster(await sltv.getClusterStatus(at)) : ofNode(await sltv.getNodeStatus(at));
  },
);

export const status: Commands = { status: show };

const ofNode = (message: NodeStatus) => ({
  message,
  rows: [
    {
      node: message.nodeId,
      version: message.version,
      cluster: message.clusterEnabled,
      pools: message.vgs.map(spaceIn),
    },
  ],
});

const ofCluster = (message: ClusterStatus) => ({
  message,
  rows: [
    {
      cluster: message.enabled,
      leader: message.leader,
      nodes: message.nodes.map(({ nodeId, version }) => `${nodeId} (${version})`),
      // A shared pool is seen by every node, and is one.
      pools: [...new Set(message.nodes.flatMap(({ vgs }) => vgs.map(spaceIn)))],
      disks: message.diskCount,
      attachments: message.attachmentCount,
    },
  ],
});

const spaceIn = ({ name, sizeBytes, freeBytes }: NodeStatus['vgs'][number]) =>
  `${name}: ${formatSize(BigInt(freeBytes))} of ${formatSize(BigInt(sizeBytes))} free`;
