// Putting an end to a node that is silent: first a proof, then the word of it, which others rest on.
import { type Cluster, type Member, NodeFenced, type Place } from '../capabilities/cluster.ts';
import type { FenceRequest, NodeView } from '../capabilities/nodes.ts';
import { coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { turnOff } from './agent.ts';
import { writeFences } from './fences.ts';
import { lookAt, viewOf } from './look.ts';
import { clusterOf, isSame, livesNamed, membersNamed, type NodesWorld, sharedPools } from './world.ts';

/**
 * Fences a node in every life that may still write. First the cluster is told, which lets its locks be taken over; then each
 * shared pool, which any daemon does that comes by. Errors: as the capability says.
 */
export async function fence(world: NodesWorld, request: FenceRequest, call: Call): Promise<NodeView> {
  const cluster = clusterOf(world);
  const { node } = request;
  if (node === world.node.id) {
    throw coreErrors('node-up', `${node} is this node, which lives`, {
      hint: 'fence it from another node, or reboot it',
    });
  }
  const members = await cluster.members(call.signal);
  const member = members.find((candidate) => candidate.node === node);
  const lives = await livesOf(world, member, node, members, call.signal);
  // A store that forgot may tell of another time's fences.
  const isBelieved = member !== undefined && cluster.trouble()?.state !== 'halted';
  const isDone = isBelieved && (await areOver(cluster, lives, call.signal));
  if (!isDone) {
    const proof = await prove(world, request, member, call);
    // From here on it goes to its end, whoever waits.
    for (const place of lives) await cluster.declareOver(place, proof, world.life);
    world.provenAt.set(node, new Date());
    world.told.add(node);
    world.log.warn('a node was fenced', { node, proof, lives: lives.map(({ boot }) => boot) });
    for (const place of lives) world.emit(NodeFenced, { place, proof });
  }
  mustBeTold(node, await writeFences(world, member ? [member] : lives));
  const gone: Member = {
    node,
    boot: '',
    version: '',
    format: 1,
    addresses: [],
    pools: [],
    isUp: false,
    lastSeen: new Date(),
    isOver: true,
  };
  return (await lookAt(world, node, call.signal)) ?? viewOf(gone, world.node.id, []);
}

/** Switched on again before its pools say so, it would begin where it was, beside whoever has its disks by then. */
function mustBeTold(node: string, untold: readonly string[]): void {
  if (untold.length === 0) return;
  throw coreErrors(
    'fence-unfinished',
    `${node} is fenced, and ${untold.join(', ')} could not be told of it yet: keep it off`,
    {
      hint: `until this ends well: sltv node fence ${node} --yes`,
    },
  );
}

/** The life that it was last seen in, and those that disks name. Errors: `core/node-missing` for a name that nobody knows. */
async function livesOf(
  world: NodesWorld,
  member: Member | undefined,
  node: string,
  members: readonly Member[],
  signal: AbortSignal,
): Promise<readonly Place[]> {
  const pools = await sharedPools(world, signal);
  const named = pools.flatMap(({ entries }) => entries.flatMap((entry) => livesNamed(entry, node)));
  const all = [...(member ? [member] : []), ...named].map(({ node: name, boot }) => ({ node: name, boot }));
  const lives = all.filter((place, index) => all.findIndex((other) => isSame(place, other)) === index);
  if (lives.length > 0 || pools.some((pool) => membersNamed(pool).includes(node))) return lives;
  throw coreErrors('node-missing', `there is no node ${node}`, {
    hint: `nodes: ${members.map((each) => each.node).join(', ')}`,
  });
}

async function areOver(cluster: Cluster, lives: readonly Place[], signal: AbortSignal): Promise<boolean> {
  return (await Promise.all(lives.map((place) => cluster.isOver(place, signal)))).every(Boolean);
}

/** What proves that it is off, in a sentence. */
async function prove(
  { agent, run, life }: NodesWorld,
  { node, confirmed, byHand }: FenceRequest,
  member: Member | undefined,
  { caller }: Call,
): Promise<string> {
  if (!confirmed) {
    throw coreErrors('fence-unproven', `fencing ${node} ends whatever runs there, and nobody has confirmed it`, {
      hint: `sltv node fence ${node} --yes`,
    });
  }
  if (agent && !byHand) return await turnOff(run, agent, node, life);
  if (!member?.isUp) return `${caller.name} vouched that it is off`;
  throw coreErrors('node-up', `${node} answers, so it is not off`, {
    hint: `turn it off first; one that leaves in order: sltv node retire ${node}`,
  });
}
