// What disks there are.
import type { Disk } from '../capabilities/disks.ts';
import type { Call } from '../kernel/verb.ts';
import { allEntries } from './attachments.ts';
import { withLateNotes } from './show.ts';
import { findPool, type World } from './world.ts';

/** All disks, or those of one pool, by pool and name, as the storage has them. Errors: `core/pool-missing`. */
export async function list(world: World, request: { pool?: string | undefined }, call: Call): Promise<readonly Disk[]> {
  if (request.pool !== undefined) await findPool(world, request.pool, call.signal);
  const entries = await allEntries(world, call.signal, request.pool);
  return entries.map((entry) => world.known.diskOf(withLateNotes(world, entry)));
}
