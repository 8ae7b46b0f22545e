// A disk goes, with all that is on it.
import { DeleteDisk, DiskDeleted } from '../capabilities/disks.ts';
import { asSltvError, coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { claiming, mustBeOursToTake } from './claim.ts';
import { detachOwner } from './detach.ts';
import { type Entry, nameOf } from './entry.ts';
import { turnOf } from './turns.ts';
import { findDisk, freshEntry, mustBeAtRest, type World } from './world.ts';

/**
 * Removes a disk; with `force` it is detached first. Errors: `core/disk-missing`, `core/disk-attached`,
 * `core/disk-busy`, `core/disk-elsewhere`, `core/gate-refused`, those of detach.
 */
export async function remove(world: World, request: { name: string; force: boolean }, call: Call): Promise<void> {
  const past = await world.journal.recall(call.requestId, 'disk.delete', request);
  const { pool, entry } = await findDisk(world, request.name, call.signal).catch((error) => {
    if (past && asSltvError(error).kind === 'not-found') return { pool: undefined, entry: undefined };
    throw error;
  });
  // This request has done it already; a disk of that name made since is another one.
  if (!pool || (past && entry.id !== past.disk)) return;
  const { name } = entry.volume;
  await world.turns.take(nameOf(entry), call, async () => {
    await world.ask(DeleteDisk, { disk: name, pool: pool.name }, call.signal);
    await world.journal.decide({
      requestId: call.requestId,
      operation: 'disk.delete',
      asked: request,
      pool: pool.name,
      name,
      disk: entry.id,
    });
    if (request.force) await detachOwner(world, pool, name, call).catch(thenAgain);
    const wanted = { pool, name, mayHave: mustBeUnowned, ...turnOf(call) };
    await claiming(world, wanted, (claim) =>
      pool.change(turnOf(call), async (writer) => {
        const fresh = freshEntry(await writer.find(name), request.name);
        mustBeUnowned(fresh);
        mustBeAtRest(fresh);
        await mustBeOursToTake(world, pool, fresh, claim);
        await writer.remove(name);
        world.lateNotes.forget(pool.name, name);
      }),
    );
    world.emit(DiskDeleted, { pool: pool.name, disk: name, id: entry.id });
  });
}

function mustBeUnowned(entry: Entry): void {
  if (!entry.owner) return;
  throw coreErrors('disk-attached', `${nameOf(entry)} is attached to ${entry.owner.vmName}`, {
    hint: `sltv disk detach ${nameOf(entry)} ${entry.owner.vmName}, or delete with --force`,
  });
}

/** A guest that keeps the disk ends the detach by itself, and not the deletion. */
function thenAgain(error: unknown): never {
  const known = asSltvError(error);
  if (known.code !== 'core/detach-unanswered') throw error;
  throw coreErrors('detach-unanswered', `${known.message}, so it is not deleted`, {
    hint: `${known.hint}; then delete it`,
    cause: error,
  });
}
