// A disk is let go: its volume stays as it is, and is nobody's of ours any more.
import { DiskForgotten } from '../capabilities/disks.ts';
import type { Pool } from '../capabilities/storage.ts';
import { asSltvError, coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { claiming, mustBeOursToTake } from './claim.ts';
import { type Entry, nameOf } from './entry.ts';
import { turnOf } from './turns.ts';
import { findDisk, freshEntry, mustBeAtRest, mustBeHere, type World } from './world.ts';

/**
 * Takes all notes off. A disk that a VM has is refused unless `attached`: the VM keeps it, and from then on nobody grows it or
 * activates it for a start, which where hosts share the pool nobody else can. Errors: `core/disk-missing`, `core/disk-attached`,
 * `core/disk-busy`, `core/disk-elsewhere`, `core/unsupported`.
 */
export async function forget(world: World, request: { name: string; attached: boolean }, call: Call): Promise<void> {
  const past = await world.journal.recall(call.requestId, 'disk.forget', request);
  const { pool, entry } = await findDisk(world, request.name, call.signal).catch((error) => {
    const { code, kind } = asSltvError(error);
    if (past && (code === 'core/disk-foreign' || kind === 'not-found')) return { pool: undefined, entry: undefined };
    throw error;
  });
  // This request has done it already; what was made a disk since is another one.
  if (!pool || (past && entry.id !== past.disk)) return;
  const { name } = entry.volume;
  await world.turns.take(nameOf(entry), call, async () => {
    const { isShared = false } = await pool.facts(call.signal);
    const mayHave = (now: Entry) => mayGo(world, now, request.attached, isShared);
    mayHave(entry);
    await world.journal.decide({
      requestId: call.requestId,
      operation: 'disk.forget',
      asked: request,
      pool: pool.name,
      name,
      disk: entry.id,
    });
    await claiming(world, { pool, name, mayHave, ...turnOf(call) }, (claim) =>
      pool.change(turnOf(call), async (writer) => {
        const fresh = freshEntry(await writer.find(name), request.name);
        mayHave(fresh);
        await mustBeOursToTake(world, pool, fresh, claim);
        if (!writer.release) throw cannotRelease(pool);
        // Its VM starts it without us from now on, as it would any other volume.
        if (fresh.owner) await pool.activate(name, call.signal);
        await writer.release(name);
        world.lateNotes.forget(pool.name, name);
      }),
    );
    world.emit(DiskForgotten, { pool: pool.name, disk: name, id: entry.id });
  });
}

function mayGo(world: World, entry: Entry, attached: boolean, isShared: boolean): void {
  mustBeAtRest(entry);
  const { owner } = entry;
  if (!owner) return;
  const name = nameOf(entry);
  const detached = `sltv disk detach ${name} ${owner.vmName}`;
  if (isShared) {
    throw coreErrors(
      'disk-attached',
      `${owner.vmName} has ${name}: in a pool that hosts share nothing but sltv could activate it for that VM again`,
      { hint: `detach it first: ${detached}` },
    );
  }
  if (!attached) {
    throw coreErrors('disk-attached', `${name} is attached to ${owner.vmName}`, {
      hint: `${detached}; or, so that ${owner.vmName} keeps it, which sltv does not grow any more then: sltv disk forget ${name} --attached`,
    });
  }
  mustBeHere(world, entry);
}

const cannotRelease = ({ name, kind }: Pool) =>
  coreErrors('unsupported', `${name} is a pool of kind ${kind}, which keeps all that is in it`, {
    hint: 'sltv disk delete removes a disk with what is on it',
  });
