// The members as users see them, and what is odd about one.
import type { Member } from '../capabilities/cluster.ts';
import type { NodeView } from '../capabilities/nodes.ts';
import { FORMAT } from '../disks/entry.ts';
import { type NodesWorld, type SharedPool, self, sharedPools } from './world.ts';

/** All members by name; without a cluster this node alone. Errors: the cluster's own. */
export async function look(world: NodesWorld, signal: AbortSignal): Promise<readonly NodeView[]> {
  const { cluster, node } = world;
  if (!cluster) return [alone(world)];
  const [members, pools] = await Promise.all([cluster.members(signal), sharedPools(world, signal)]);
  const views = members.map((member) => viewOf(member, node.id, pools));
  // One that was never in reach of the others knows itself all the same.
  const all = views.some(({ isSelf }) => isSelf) ? views : [...views, alone(world)];
  return all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** One of them; undefined when there is none of that name. */
export async function lookAt(world: NodesWorld, name: string, signal: AbortSignal): Promise<NodeView | undefined> {
  return (await look(world, signal)).find((view) => view.name === name);
}

export function viewOf(member: Member, own: string, pools: readonly SharedPool[]): NodeView {
  const isSelf = member.node === own;
  return {
    name: member.node,
    boot: member.boot,
    version: member.version,
    format: member.format,
    addresses: member.addresses,
    isSelf,
    isUp: member.isUp,
    isFenced: member.isOver,
    lastSeen: member.lastSeen,
    pools: member.pools,
    remarks: [...oddities(member), ...pools.flatMap(({ pool }) => sightOf(member, pool))],
  };
}

function oddities({ format, isOver, isUp }: Member): readonly string[] {
  return [
    ...(format === FORMAT ? [] : [`it writes format ${format}, and this node ${FORMAT}: upgrade the older of the two`]),
    ...(isOver && isUp ? ['it was fenced and lives: reboot it'] : []),
  ];
}

/** How it sees a pool that this node shares. Two pools of one name are told apart by their ids only. */
function sightOf({ pools, isUp }: Member, { name, id }: SharedPool['pool']): readonly string[] {
  const sight = pools.find((each) => each.id === id);
  if (sight) return sight.trouble === undefined ? [] : [`${sight.name}: ${sight.trouble}`];
  if (pools.some((each) => each.name === name))
    return [`its ${name} is another pool than this node's: rename one of them`];
  return isUp ? [`it does not see ${name}`] : [];
}

function alone(world: NodesWorld): NodeView {
  const { node, boot } = self(world);
  return {
    name: node,
    boot,
    version: '',
    format: FORMAT,
    addresses: [],
    isSelf: true,
    isUp: true,
    isFenced: false,
    lastSeen: undefined,
    pools: [],
    remarks: [],
  };
}
