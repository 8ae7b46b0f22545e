// A node leaves in order.
import { nameOf, placeNote } from '../disks/entry.ts';
import { fencedLives } from '../disks/permission.ts';
import { DisksGiveBack } from '../disks/questions.ts';
import { coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { clusterOf, livesNamed, membersNamed, type NodesWorld, sharedPools } from './world.ts';

/**
 * Takes a node out for good: it gives back what no VM has, nothing names it any more, and it is stopped. Asked again it goes on
 * where it was. Errors: `core/node-missing`, `core/node-in-use`, `core/node-up`.
 */
export async function retire(world: NodesWorld, { node }: { readonly node: string }, call: Call): Promise<void> {
  const cluster = clusterOf(world);
  const { signal } = call;
  if (node === world.node.id) {
    throw coreErrors('node-up', `${node} is this node, which is up`, {
      hint: `on another node: sltv node retire ${node}`,
    });
  }
  const members = await cluster.members(signal);
  const member = members.find((candidate) => candidate.node === node);
  const isKnown = async () => (await sharedPools(world, signal)).some((pool) => membersNamed(pool).includes(node));
  if (!member && !(await isKnown())) {
    throw coreErrors('node-missing', `there is no node ${node}`, {
      hint: `nodes: ${members.map((each) => each.node).join(', ')}`,
    });
  }
  if (member?.isUp) mustHaveNothing(node, (await cluster.ask(node, DisksGiveBack, {}, signal)).left);
  const pools = await sharedPools(world, signal);
  const named = pools.flatMap(({ entries }) => entries.filter((entry) => livesNamed(entry, node).length > 0));
  mustHaveNothing(node, named.map(nameOf));
  if (member?.isUp) {
    throw coreErrors('node-up', `${node} has given back all it had, and is still up`, {
      hint: `on ${node}: systemctl disable --now sltv; then here: sltv node retire ${node}`,
    });
  }
  for (const shared of pools) {
    const left = (shared.notes.member ?? []).filter((note) => note === node || note.startsWith(`${node}/`));
    const fenced = fencedLives(shared)
      .filter((place) => place.node === node)
      .map(placeNote);
    if (left.length + fenced.length === 0) continue;
    await shared.pool.change({ signal }, async (writer) => {
      await writer.annotatePool?.({ drop: { member: left, fenced } });
    });
  }
  if (member) await cluster.forget(node, signal);
}

function mustHaveNothing(node: string, left: readonly string[]): void {
  if (left.length === 0) return;
  throw coreErrors('node-in-use', `${node} still has ${left.join(', ')}`, {
    hint: `start its VMs elsewhere or detach their disks; a host that is off for good: sltv node fence ${node}`,
  });
}
