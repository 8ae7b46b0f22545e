// Whether the notes let this node have a volume active, as far as that can be told without asking anybody.
import type { Place } from '../capabilities/cluster.ts';
import type { Notes, Pool } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import type { Node } from '../node.ts';
import { type Entry, nameOf, readPlace } from './entry.ts';
import type { Promises } from './promises.ts';

/** The lives of nodes that were ended from outside, as a pool's notes have it. */
export const fencedLives = ({ notes }: { readonly notes?: Notes | undefined }): readonly Place[] =>
  (notes?.fenced ?? []).map(readPlace);

/** The same, of the pool as it is now. Errors: the pool's own. */
export async function fencedIn(pool: Pool, signal: AbortSignal): Promise<readonly Place[]> {
  return fencedLives(await pool.facts(signal));
}

/**
 * This node may have it active: by a note of this life; or of an earlier one, as long as no life of this node was fenced.
 * After that others take what earlier lives had without asking, so that it has to be claimed.
 */
export function isPermitted(node: Node, entry: Entry, fenced: readonly Place[]): boolean {
  const mine = entry.on.filter((place) => place.node === node.id);
  if (mine.some(({ boot }) => boot === node.bootId)) return true;
  return mine.length > 0 && !fenced.some((place) => place.node === node.id);
}

/** Refuses everything on a node whose present life counts as over. Errors: `core/node-fenced`. */
export function mustNotBeFenced(node: Node, fenced: readonly Place[]): void {
  if (!fenced.some((place) => place.node === node.id && place.boot === node.bootId)) return;
  throw coreErrors('node-fenced', `this node, ${node.id}, was fenced: others may have its disks`, {
    hint: 'reboot this host; after that it is a member again',
  });
}

/**
 * For whoever holds the pool's lock: refuses to activate what another node has this one's promise for, and forgets promises that
 * are over. Errors: `core/disk-claimed`.
 */
export async function honour(promises: Promises, entry: Entry): Promise<void> {
  for (const promised of await promises.of(entry.id)) {
    // Also where others have had it since: by the same words in its notes the claim could still be carried out.
    if (!promises.isOld(promised)) throw claimed(entry, promised.by);
    await promises.withdraw(promised);
  }
}

/** The same without the lock, for a start: only promises that are old need it. Errors: `core/disk-claimed`, the pool's. */
export async function mustNotBePromised(
  promises: Promises,
  pool: Pool,
  entry: Entry,
  signal: AbortSignal,
): Promise<void> {
  const given = await promises.of(entry.id);
  const fresh = given.find((promised) => !promises.isOld(promised));
  if (fresh) throw claimed(entry, fresh.by);
  if (given.length === 0) return;
  // Whoever has the lock now knows that the other has committed, or never will; what it has written is read after this.
  await pool.change({ signal }, () => honour(promises, entry));
}

/** Forgets the promises that are over, so that no start has to. Never throws: it is tried again. */
export async function tidyPromises(promises: Promises, pools: readonly Pool[], signal: AbortSignal): Promise<void> {
  for (const promised of await promises.all()) {
    if (!promises.isOld(promised)) continue;
    const pool = pools.find((candidate) => candidate.id === promised.pool);
    if (!pool) continue;
    // Without the lock it is tried again.
    await pool.change({ signal }, () => promises.withdraw(promised)).catch(() => {});
  }
}

const claimed = (entry: Entry, by: string) =>
  coreErrors('disk-claimed', `${nameOf(entry)} is about to be taken over by node ${by}`, {
    hint: `try again in a moment: sltv disk show ${nameOf(entry)}`,
  });
