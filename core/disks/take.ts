// A pool of a host that is gone for good becomes this one's, with all its disks.
import type { Writer } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { here, intentNote, nameOf, placeNote, readEntry, replaceNotes } from './entry.ts';
import { reconcile } from './reconcile.ts';
import { findPool, type World } from './world.ts';

/**
 * What that host's notes let it have active is had by nobody any more, and what it left half-done is ended here. Each disk is a
 * commit, and the pool changes hands with the last: until then it may be begun again. Errors: `core/pool-missing`,
 * `core/unsupported`, the pool's own.
 */
export async function takePool(world: World, { name }: { name: string }, { signal }: Call): Promise<void> {
  const pool = await findPool(world, name, signal);
  if (!pool.take) {
    throw coreErrors('unsupported', `${name} is a pool of kind ${pool.kind}, which can't change hands`, {
      hint: 'sltv pool list shows which pools are lvm',
    });
  }
  await pool.take(signal, (writer) => freeDisks(world, writer));
  await reconcile(world);
}

async function freeDisks(world: World, writer: Writer): Promise<void> {
  const place = here(world.node);
  for (const volume of await writer.volumes()) {
    const entry = readEntry(volume);
    if (!entry || entry.isNewer) continue;
    world.lateNotes.forget(volume.pool, volume.name);
    const { intent } = entry;
    // Ours from now on: this node's reconciler takes back creations, ends deletions, and finds that no VM here has the disk.
    const notes = intent ? { on: [placeNote(place)], op: [intentNote({ ...intent, ...place })] } : { on: [] };
    await writer.annotate(volume.name, replaceNotes(volume, notes));
    if (intent)
      world.log.info('taking over what another host left', { disk: nameOf(entry), operation: intent.operation });
  }
}
