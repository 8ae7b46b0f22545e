// A VM gives a disk back.
import { DiskDetached } from '../capabilities/disks.ts';
import type { Pool } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { type Entry, here, intentNote, nameOf, replaceNotes } from './entry.ts';
import { readVirtualSize } from './image.ts';
import { annotateLate } from './late-notes.ts';
import { diskInVm, findDisk, freshEntry, hypervisorOf, mustBeAtRest, mustBeHere, type World } from './world.ts';

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
  await world.turns.take(nameOf(entry), call.signal, () => detachOwner(world, pool, entry.volume.name, call));
}

/** Detaches from whichever VM has it; none is fine. The caller has the disk's turn. */
export async function detachOwner(world: World, pool: Pool, name: string, call: Call): Promise<void> {
  const begun = await pool.change({ signal: call.signal }, async (writer) => {
    const fresh = freshEntry(await writer.find(name), name);
    if (!fresh.owner || fresh.intent?.operation === 'detach') return fresh;
    mustBeAtRest(fresh);
    mustBeHere(world, fresh);
    const op = intentNote({ operation: 'detach', ...here(world.node), id: call.requestId, detail: '' });
    return freshEntry(await writer.annotate(name, replaceNotes(fresh.volume, { op: [op] })), name);
  });
  if (!begun.owner) return;
  const outcome = await takeOut(world, begun, world.detachPatience);
  if (outcome === 'pending') {
    throw coreErrors('detach-unanswered', `the guest of ${begun.owner.vmName} has not let go of ${nameOf(begun)} yet`, {
      hint: 'it is detached by itself when the guest lets go or the VM is off; a guest without a running system never answers',
    });
  }
  await finishDetach(world, pool, begun);
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
