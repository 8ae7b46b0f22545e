// A VM gives a disk back.
import { DiskDetached } from '../capabilities/disks.ts';
import type { Pool } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { type Claim, claiming, isOfLifeThatIsOver, mustBeOursToTake, placesElsewhere } from './claim.ts';
import { type Entry, here, intentNote, nameOf, placeNote, replaceNotes } from './entry.ts';
import { answeredBy, whichOf, whoHas } from './forward.ts';
import { readVirtualSize } from './image.ts';
import { annotateLate } from './late-notes.ts';
import { DiskDetach } from './questions.ts';
import { turnOf } from './turns.ts';
import { diskInVm, findDisk, freshEntry, hypervisorOf, mustBeAtRest, type World } from './world.ts';

/**
 * Takes a disk out of a VM, running or not. Errors: `core/disk-missing`, `core/attachment-missing`, `core/disk-busy`,
 * `core/disk-elsewhere`, `core/detach-unanswered` when the guest keeps the device: it finishes by itself when the guest
 * lets go or the VM is off.
 */
export async function detach(world: World, request: { disk: string; vm: string }, call: Call): Promise<void> {
  const past = await world.journal.recall(call.requestId, 'disk.detach', request);
  const { pool, entry } = await findDisk(world, request.disk, call.signal);
  const { owner } = entry;
  if (past && !owner) return;
  if (!owner || (owner.vm !== request.vm && owner.vmName !== request.vm)) {
    throw coreErrors('attachment-missing', `${nameOf(entry)} is not attached to ${request.vm}`, {
      hint: owner
        ? `it is attached to ${owner.vmName}: sltv disk detach ${nameOf(entry)} ${owner.vmName}`
        : 'it is not attached to any VM',
    });
  }
  await world.journal.decide({
    requestId: call.requestId,
    operation: 'disk.detach',
    asked: request,
    pool: pool.name,
    name: entry.volume.name,
    disk: entry.id,
  });
  await world.turns.take(nameOf(entry), call, () => detachOwner(world, pool, entry.volume.name, call));
}

/** Detaches from whichever VM has it, wherever that is; none is fine. The caller has the disk's turn. */
export async function detachOwner(world: World, pool: Pool, name: string, call: Call): Promise<void> {
  const volume = (await pool.volumes(call.signal)).find((candidate) => candidate.name === name);
  const seen = freshEntry(volume, name);
  const other = await whoHas(world, seen, call.signal);
  if (other && seen.owner) {
    const asked = { ...whichOf(pool, seen), vm: seen.owner.vm, requestId: call.requestId };
    await answeredBy(other.node, seen, other.cluster.ask(other.node, DiskDetach, asked, call.signal));
    return;
  }
  const wanted = { pool, name, mayHave: () => {}, ...turnOf(call) };
  const begun = await claiming(world, wanted, (claim) => begin(world, pool, name, claim, call));
  if (!begun.owner) return;
  call.tell?.({ stage: `waiting for the guest of ${begun.owner.vmName} to let go of the disk` });
  const outcome = await takeOut(world, begun, world.detachPatience);
  if (outcome === 'pending') {
    throw coreErrors('detach-unanswered', `the guest of ${begun.owner.vmName} has not let go of ${nameOf(begun)} yet`, {
      hint: 'it is detached by itself when the guest lets go or the VM is off; a guest without a running system never answers',
    });
  }
  await finishDetach(world, pool, begun);
}

/** The first commit. What a life that is over has left half-done with the disk, a detach ends, too. */
async function begin(world: World, pool: Pool, name: string, claim: Claim, call: Call): Promise<Entry> {
  return await pool.change(turnOf(call), async (writer) => {
    const fresh = freshEntry(await writer.find(name), name);
    if (!fresh.owner) return fresh;
    await mustBeOursToTake(world, pool, fresh, claim);
    const isInherited = isOfLifeThatIsOver(fresh, claim);
    if (fresh.intent?.operation === 'detach' && !isInherited) return fresh;
    if (!isInherited) mustBeAtRest(fresh);
    const op = intentNote({ operation: 'detach', ...here(world.node), id: call.requestId, detail: '' });
    const isClaimed = placesElsewhere(world.node, fresh).length > 0;
    const notes = { op: [op], ...(isClaimed ? { on: [placeNote(here(world.node))] } : {}) };
    return freshEntry(await writer.annotate(name, replaceNotes(fresh.volume, notes)), name);
  });
}

/** Asks the VM for the device, as often as you like; `gone` once the VM has it neither now nor at its next start. */
export async function takeOut(world: World, entry: Entry, patience: number): Promise<'gone' | 'pending'> {
  const vm = entry.owner?.vm ?? '';
  const hypervisor = hypervisorOf(world);
  const device = await diskInVm(hypervisor, vm, entry, world.life);
  return device ? await hypervisor.detach(vm, device.target, patience, world.life) : 'gone';
}

/** The VM has it no more: the volume sleeps, and then, in a commit of its own, the disk is free. */
export async function finishDetach(world: World, pool: Pool, entry: Entry): Promise<void> {
  const { name, path } = entry.volume;
  const isReadable = entry.format === 'qcow2' && (await pool.isActive(entry.volume));
  const vsize = isReadable ? await readVirtualSize(world.run, path, world.life) : entry.virtualSize;
  await pool.deactivate(name, world.life);
  const notes = { op: [], own: [], on: [], at: [], ro: [], vsize: [String(vsize)] };
  await pool.change({ signal: world.life }, (writer) =>
    annotateLate(world.lateNotes, writer, entry.volume, replaceNotes(entry.volume, notes)),
  );
  world.emit(DiskDetached, {
    pool: pool.name,
    disk: name,
    vm: entry.owner?.vm ?? '',
    target: entry.owner?.target ?? '',
  });
}
