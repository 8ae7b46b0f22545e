// Putting an end to a node that is silent: first a proof, then the word of it, which others rest on.
import type { Cluster, Member, Place } from '../capabilities/cluster.ts';
import type { FenceRequest, NodeView } from '../capabilities/nodes.ts';
import { fencedLives } from '../disks/permission.ts';
import { coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { turnOff } from './agent.ts';
import { announce, writeFences } from './fences.ts';
import { lookAt, viewOf } from './look.ts';
import { clusterOf, isSame, livesNamed, membersNamed, type NodesWorld, sharedPools } from './world.ts';

/**
 * Fences a node in every life that may still write: a proof, then the word of it in the shared pools, and in the cluster, which
 * lets its locks be taken over. Any daemon ends what stands in one pool. Errors: as the capability says.
 */
export async function fence(world: NodesWorld, request: FenceRequest, call: Call): Promise<NodeView> {
  const cluster = clusterOf(world);
  const { node } = request;
  if (node === world.node.id) {
    throw coreErrors('node-up', `${node} is this node, which lives`, {
      hint: 'fence it from another node, or reboot it',
    });
  }
  const before = await lookUp(world, cluster, node, call.signal);
  let { noted } = before;
  if (!(await isProven(world, cluster, before, call.signal))) {
    const proof = await prove(world, request, before.member, call);
    // From here on it goes to its end, whoever waits. What it wrote until its end counts, too.
    const { lives, ...after } = await lookUp(world, cluster, node, world.life);
    noted = after.noted;
    world.provenAt.set(node, new Date());
    world.log.warn('a node was fenced', { node, proof, lives: lives.map(({ boot }) => boot) });
    // First the pools: what stands there any daemon can end. But the node may have their locks, which only its end frees.
    await writeFences(world, noted, LOCK_PATIENCE);
    for (const place of lives) await cluster.declareOver(place, proof, world.life);
    for (const place of lives) announce(world, place, proof);
  }
  mustBeTold(world, node, await writeFences(world, noted));
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

/** Milliseconds to wait for pools whose locks the node itself may have. */
const LOCK_PATIENCE = 5_000;

/**
 * It was proven before, and all that is left is to tell the pools. A store that forgot, or that has only seen the node begin
 * another life, proves nothing: a pool does.
 */
async function isProven(
  world: NodesWorld,
  cluster: Cluster,
  { noted, lives }: Known,
  signal: AbortSignal,
): Promise<boolean> {
  if (noted.length === 0 || cluster.trouble()?.state === 'halted') return false;
  const told = (await sharedPools(world, signal)).flatMap(fencedLives);
  if (!noted.every((place) => told.some((each) => isSame(place, each)))) return false;
  return (await Promise.all(lives.map((place) => cluster.isOver(place, signal)))).every(Boolean);
}

/** Switched on again before its pools say so, it would begin where it was, beside whoever has its disks by then. */
function mustBeTold({ cluster }: NodesWorld, node: string, untold: readonly string[]): void {
  if (untold.length === 0) return;
  const isHalted = cluster?.trouble()?.state === 'halted';
  throw coreErrors(
    'fence-unfinished',
    `${node} is fenced, and ${untold.join(', ')} could not be told of it yet: keep it off`,
    {
      hint: `${isHalted ? 'sltv cluster recover counts it; then, ' : ''}until this ends well: sltv node fence ${node} --yes`,
    },
  );
}

/** What is known of a node that shall be fenced. */
interface Known {
  readonly member: Member | undefined;
  /** The life that it was last seen in, and those that disks name. */
  readonly lives: readonly Place[];
  /** What pools are told: its last life stands for the earlier ones. */
  readonly noted: readonly Place[];
}

/** Errors: `core/node-missing` for a name that nobody knows. */
async function lookUp(world: NodesWorld, cluster: Cluster, node: string, signal: AbortSignal): Promise<Known> {
  const [members, pools] = await Promise.all([cluster.members(signal), sharedPools(world, signal)]);
  const member = members.find((candidate) => candidate.node === node);
  const named = pools.flatMap(({ entries }) => entries.flatMap((entry) => livesNamed(entry, node)));
  const all = [...(member ? [member] : []), ...named].map(({ boot }) => ({ node, boot }));
  const lives = all.filter((place, index) => all.findIndex((other) => isSame(place, other)) === index);
  if (lives.length === 0 && !pools.some((pool) => membersNamed(pool).includes(node))) {
    throw coreErrors('node-missing', `there is no node ${node}`, {
      hint: `nodes: ${members.map((each) => each.node).join(', ')}`,
    });
  }
  return { member, lives, noted: member ? [{ node, boot: member.boot }] : lives };
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
