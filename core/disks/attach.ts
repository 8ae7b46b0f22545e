// A disk becomes a VM's.
import { AttachDisk, type Attachment, DiskAttached, DiskExtended } from '../capabilities/disks.ts';
import type { Hypervisor, Vm, VmDisk } from '../capabilities/hypervisor.ts';
import type { Pool, Writer } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { attachmentOf } from './attachments.ts';
import { type Claim, claiming, mustBeOursToTake } from './claim.ts';
import { type Entry, here, intentNote, nameOf, ownerNote, placeNote, replaceNotes, timeNote, toDisk } from './entry.ts';
import { giveHeadroom } from './headroom.ts';
import { readVirtualSize } from './image.ts';
import { annotateLate } from './late-notes.ts';
import { withLateNotes } from './show.ts';
import { turnOf } from './turns.ts';
import { diskInVm, entryIn, findDisk, findVm, freshEntry, hypervisorOf, mustBeAtRest, type World } from './world.ts';

export interface AttachRequest {
  readonly disk: string;
  readonly vm: string;
  readonly target?: string | undefined;
  readonly readOnly: boolean;
}

/**
 * Gives a disk to a VM, running or not, for good. Errors: `core/disk-missing`, `core/vm-missing`, `core/disk-attached` to
 * this VM or another, `core/disk-busy`, `core/disk-elsewhere`, `core/gate-refused`, `core/target-in-use`, `core/input` for what is no target, the hypervisor's.
 */
export async function attach(world: World, request: AttachRequest, call: Call): Promise<Attachment> {
  const past = await world.journal.recall(call.requestId, 'disk.attach', request);
  const hypervisor = hypervisorOf(world);
  mustBeTarget(hypervisor, request.target);
  const { pool, entry: seen } = await findDisk(world, request.disk, call.signal);
  const vm = await findVm(world, request.vm, call.signal);
  const { name } = seen.volume;
  return await world.turns.take(nameOf(seen), call, async () => {
    const entry = await entryIn(pool, name, call.signal, request.disk);
    const mine = past?.disk === entry.id && entry.owner?.vm === vm.uuid;
    if (mine && !entry.intent) return attachmentOf(world, entry);
    if (!mine && entry.intent?.operation === 'attach') mustBeFree(entry, vm);
    mustBeAtRest(entry);
    if (!mine) mustBeFree(entry, vm);
    await targetMustBeFree(hypervisor, vm, request.target, call.signal);
    await world.ask(AttachDisk, { disk: name, pool: pool.name, vm: vm.uuid, vmName: vm.name }, call.signal);
    await world.journal.decide({
      requestId: call.requestId,
      operation: 'disk.attach',
      asked: request,
      pool: pool.name,
      name,
      disk: entry.id,
    });
    const mayHave = (now: Entry) => mustBeFree(now, vm);
    const reserved = await claiming(world, { pool, name, mayHave, ...turnOf(call) }, (claim) =>
      reserve(world, { pool, name, vm, request, claim }, call),
    );
    const device = await give(world, pool, reserved, vm, request);
    const attached = await finishAttach(world, pool, reserved, device);
    const attachment = attachmentOf(world, attached);
    world.emit(DiskAttached, { attachment });
    return attachment;
  });
}

/** The last commit: the VM has the disk, and where. */
export async function finishAttach(world: World, pool: Pool, entry: Entry, device: VmDisk): Promise<Entry> {
  const owner = { ...entry.owner, vm: entry.owner?.vm ?? '', vmName: entry.owner?.vmName ?? '', target: device.target };
  // The image is right, not the note: somebody may have resized it by hand.
  const isThinAndOpen = entry.format === 'qcow2' && device.live;
  const vsize = isThinAndOpen ? await readVirtualSize(world.run, entry.volume.path, world.life) : entry.virtualSize;
  const notes = { op: [], own: [ownerNote(owner)], vsize: [String(vsize)] };
  const done = await pool.change({ signal: world.life }, (writer) =>
    annotateLate(world.lateNotes, writer, entry.volume, replaceNotes(entry.volume, notes)),
  );
  return freshEntry(done, entry.volume.name);
}

/** The VM did not get the disk: it is free again. The permission goes last, in a commit of its own. */
export async function undoAttach(world: World, pool: Pool, entry: Entry): Promise<void> {
  await pool.deactivate(entry.volume.name, world.life);
  await pool.change({ signal: world.life }, (writer) =>
    writer.annotate(entry.volume.name, replaceNotes(entry.volume, { op: [], own: [], on: [], at: [], ro: [] })),
  );
}

function mustBeFree(entry: Entry, vm: Vm): void {
  const { owner } = entry;
  if (!owner) return;
  if (owner.vm === vm.uuid) {
    throw coreErrors('disk-attached', `${nameOf(entry)} is attached to ${vm.name} already, as ${owner.target}`, {
      hint: `sltv attachment list --disk ${nameOf(entry)}`,
    });
  }
  throw coreErrors('disk-attached', `${nameOf(entry)} belongs to ${owner.vmName}; a disk has one VM`, {
    hint: `sltv disk detach ${nameOf(entry)} ${owner.vmName}`,
  });
}

function mustBeTarget(hypervisor: Hypervisor, target: string | undefined): void {
  const objection = target === undefined ? undefined : hypervisor.objectsToTarget?.(target);
  if (objection === undefined) return;
  throw coreErrors('input', `'${target}' is no target of a disk: ${objection}`, {
    hint: 'leave --target out and a free one is chosen',
  });
}

async function targetMustBeFree(
  hypervisor: Hypervisor,
  vm: Vm,
  target: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (target === undefined) return;
  const taken = (await hypervisor.disks(vm.uuid, signal)).find((disk) => disk.target === target);
  if (!taken) return;
  throw coreErrors('target-in-use', `${vm.name} has ${taken.path ?? 'another disk'} as ${target} already`, {
    hint: 'leave --target out to have a free one chosen',
  });
}

interface Reservation {
  readonly pool: Pool;
  readonly name: string;
  readonly vm: Vm;
  readonly request: AttachRequest;
  readonly claim: Claim;
}

/** The first commit: nobody else may take the disk, and this node, and no other, may activate it. */
async function reserve(world: World, { pool, name, vm, request, claim }: Reservation, call: Call): Promise<Entry> {
  return await pool.change(turnOf(call), async (writer) => {
    const fresh = freshEntry(await writer.find(name), request.disk);
    if (fresh.intent?.operation === 'attach') mustBeFree(fresh, vm);
    mustBeAtRest(fresh);
    mustBeFree(fresh, vm);
    await mustBeOursToTake(world, pool, fresh, claim);
    const place = here(world.node);
    const notes = {
      own: [ownerNote({ vm: vm.uuid, target: request.target ?? '', vmName: vm.name })],
      on: [placeNote(place)],
      op: [intentNote({ operation: 'attach', ...place, id: call.requestId, detail: '' })],
      at: [timeNote(new Date())],
      ro: request.readOnly ? ['1'] : [],
    };
    // A VM that is off opens nothing: its hook activates when it starts, and gives room.
    const activate = vm.state !== 'off';
    if (activate) await makeRoom(world, pool, writer, fresh, request);
    return freshEntry(await writer.annotate(name, { ...replaceNotes(fresh.volume, notes), activate }), request.disk);
  });
}

/** A guest that runs may write at once, before anybody watches how far. */
async function makeRoom(world: World, pool: Pool, writer: Writer, entry: Entry, { readOnly }: AttachRequest) {
  const known = { ...withLateNotes(world, entry), readOnly };
  const grown = await giveHeadroom(pool, writer, known, { log: world.log, signal: world.life });
  if (grown === known) return;
  const { name, size } = entry.volume;
  world.lateNotes.set(pool.name, name, { extended: [timeNote(new Date())] });
  world.emit(DiskExtended, { disk: toDisk(withLateNotes(world, grown)), from: size, automatic: true });
}

/** What counts is what the VM has afterwards, whatever the hypervisor answered; unanswered, the reconciler decides. */
async function give(world: World, pool: Pool, entry: Entry, vm: Vm, request: AttachRequest): Promise<VmDisk> {
  const hypervisor = hypervisorOf(world);
  try {
    return await hypervisor.attach(
      vm.uuid,
      {
        path: entry.volume.path,
        format: entry.format,
        source: pool.source,
        target: request.target,
        readOnly: request.readOnly,
        serial: entry.id.replaceAll('-', '').slice(0, 20),
      },
      world.life,
    );
  } catch (error) {
    const device = await diskInVm(hypervisor, vm.uuid, entry, world.life).catch(() => 'unknown' as const);
    if (device === undefined) await undoAttach(world, pool, entry);
    if (device === undefined || device === 'unknown') throw error;
    return device;
  }
}
