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
      trouble: { type: 'text', about: 'why pools can not be written', optional: true },
      leader: { type: 'text', about: 'the node that leads', optional: true },
      nodes: { type: 'text', about: 'all nodes, their versions and how they are', optional: true, list: true },
      pools: { type: 'text', about: 'free space', list: true },
      disks: { type: 'count', about: 'how many there are', optional: true },
      attachments: { type: 'count', about: 'how many of them are in a VM', optional: true },
      remarks: { type: 'text', about: 'what to see to', optional: true, list: true },
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
      remarks: remarksOf(message),
    },
  ],
});

const ofCluster = (message: ClusterStatus) => ({
  message,
  rows: [
    {
      cluster: message.enabled,
      trouble: troubleOf(message),
      leader: message.leader,
      nodes: message.nodes.map((node) => `${node.nodeId} (${[node.version, ...stateOf(node)].join(', ')})`),
      // A shared pool is seen by every node, and is one.
      pools: [...new Set(message.nodes.flatMap(({ vgs }) => vgs.map(spaceIn)))],
      disks: message.diskCount,
      attachments: message.attachmentCount,
      remarks: unlessNone(
        message.nodes.flatMap((node) => (remarksOf(node) ?? []).map((each) => `${node.nodeId}: ${each}`)),
      ),
    },
  ],
});

/** Nothing to say leaves its line out. A daemon of before there were clusters says nothing of all this. */
const unlessNone = (texts: readonly string[]) => (texts.length === 0 ? undefined : texts);
const remarksOf = ({ remarks = [] }: Partial<NodeStatus>) => unlessNone(remarks);

const stateOf = ({ up = true, fenced = false }: Partial<NodeStatus>) => (fenced ? ['fenced'] : up ? [] : ['silent']);

const troubleOf = ({ trouble = '', troubleState = '' }: Partial<ClusterStatus>) =>
  troubleState === 'halted' ? `${trouble} (until somebody sees to it: sltv cluster recover)` : trouble;

const spaceIn = ({ name, sizeBytes, freeBytes }: NodeStatus['vgs'][number]) =>
  `${name}: ${formatSize(BigInt(freeBytes))} of ${formatSize(BigInt(sizeBytes))} free`;
