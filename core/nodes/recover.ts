// After the cluster's store forgot: nobody may be writing when locks are given again, and only the nodes themselves know.
import { asSltvError, coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { NodeQuiet } from './questions.ts';
import { clusterOf, membersNamed, type NodesWorld, sharedPools } from './world.ts';

/** Asks every node that a shared pool names; those that answered. Errors: `core/members-unproven`, the cluster's own. */
export async function recover(world: NodesWorld, call: Call): Promise<readonly string[]> {
  const cluster = clusterOf(world);
  const pools = await sharedPools(world, call.signal);
  const named = [...new Set(pools.flatMap(membersNamed))].filter((node) => node !== world.node.id).toSorted();
  const nodes = named.filter((node) => !wasFencedSince(world, node));
  await beQuiet(world, call.signal);
  const silent = new Map<string, string>();
  await Promise.all(
    nodes.map(async (node) => {
      const signal = AbortSignal.any([call.signal, AbortSignal.timeout(PATIENCE)]);
      await cluster.ask(node, NodeQuiet, {}, signal).catch((error) => silent.set(node, asSltvError(error).message));
    }),
  );
  call.signal.throwIfAborted();
  if (silent.size > 0) {
    const reasons = [...silent].map(([node, reason]) => `${node} (${reason})`).join(', ');
    throw coreErrors('members-unproven', `not known to be without a running command: ${reasons}`, {
      hint: `bring them up, or turn them off and say so here: ${[...silent.keys()].map((node) => `sltv node fence ${node}`).join('; ')}`,
    });
  }
  await cluster.recover(call.signal);
  world.log.warn('the cluster was recovered', { asked: nodes, by: call.caller.name });
  return [world.node.id, ...nodes];
}

/** Milliseconds for a node to end what runs. */
const PATIENCE = 20_000;

/** Waits until no command of this daemon, or of an earlier one, writes. */
export async function beQuiet({ run, log }: NodesWorld, signal: AbortSignal): Promise<void> {
  await run.orphans(log, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]));
}

/** By this daemon, and after the store forgot: what it says of earlier fences may be of another time. */
function wasFencedSince({ provenAt, cluster }: NodesWorld, node: string): boolean {
  const since = cluster?.trouble()?.since;
  const at = provenAt.get(node);
  return at !== undefined && since !== undefined && at >= since;
}
