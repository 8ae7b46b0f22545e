// Operations of the node where a disk's VM is, asked for on another one.
import type { Cluster } from '../capabilities/cluster.ts';
import type { Pool } from '../capabilities/storage.ts';
import { asSltvError } from '../errors.ts';
import { placesElsewhere, unanswered } from './claim.ts';
import type { Entry } from './entry.ts';
import { DiskRefresh } from './questions.ts';
import { isHere, type World } from './world.ts';

/** The other node that has a VM's disk and lives, as far as anybody knows; undefined when it is here, or nowhere. */
export async function whoHas(
  { node, cluster }: World,
  entry: Entry,
  signal: AbortSignal,
): Promise<{ readonly node: string; readonly cluster: Cluster } | undefined> {
  const [first] = placesElsewhere(node, entry);
  if (!cluster || !entry.owner || !first || isHere({ node }, entry)) return undefined;
  const member = (await cluster.members(signal)).find((candidate) => candidate.node === first.node);
  return member && !member.isOver ? { node: first.node, cluster } : undefined;
}

/** A disk as every node knows it. */
export const whichOf = (pool: Pool, { id, volume }: Entry) => ({ pool: pool.id, name: volume.name, disk: id });

/** What the node that has it answered. Errors: the operation's own; `core/disk-elsewhere` when it does not answer. */
export async function answeredBy<T>(node: string, entry: Entry, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (asSltvError(error).kind !== 'unavailable') throw error;
    throw unanswered(entry, node, error);
  }
}

/** Lets the nodes that may have a disk active know that it has another size. Who does not hear it finds it by itself. */
export async function tellOfSize({ node, cluster, life, log }: World, pool: Pool, entry: Entry): Promise<void> {
  const others = [...new Set(placesElsewhere(node, entry).map((place) => place.node))];
  const signal = AbortSignal.any([life, AbortSignal.timeout(REFRESH_PATIENCE)]);
  await Promise.all(
    others.map((other) =>
      cluster?.ask(other, DiskRefresh, whichOf(pool, entry), signal).catch((error) => {
        log.info('a node was not told of a new size; it looks by itself once a minute', { node: other, error });
      }),
    ),
  );
}

/** Milliseconds. */
const REFRESH_PATIENCE = 5_000;
