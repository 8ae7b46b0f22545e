// What the guest sees grows.
import { type Disk, DiskResized } from '../capabilities/disks.ts';
import type { VmDisk } from '../capabilities/hypervisor.ts';
import type { Pool, Writer } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { formatSize, roundUp } from '../units.ts';
import { claiming, mustBeOursToTake } from './claim.ts';
import { type Entry, here, intentNote, nameOf, placeNote, replaceNotes, toDisk } from './entry.ts';
import { extend } from './extend.ts';
import { answeredBy, whichOf, whoHas } from './forward.ts';
import { readVirtualSize, resizeImage } from './image.ts';
import { annotateLate } from './late-notes.ts';
import { mayPromise } from './limits.ts';
import { DiskResize } from './questions.ts';
import { turnOf } from './turns.ts';
import { dataLock, diskInVm, findDisk, freshEntry, hypervisorOf, mustBeAtRest, type World } from './world.ts';

/**
 * Sets the virtual size, bytes; the size that is there already changes nothing. A thick disk's volume grows with it.
 * Errors: `core/bad-size`, `core/no-shrink`, `core/disk-missing`, `core/disk-busy`, `core/overcommit`, the hypervisor's own.
 */
export async function resize(world: World, request: { name: string; virtualSize: bigint }, call: Call): Promise<Disk> {
  if (request.virtualSize <= 0n)
    throw coreErrors('bad-size', 'a virtual size is above 0', { hint: '--virtual-size 200G' });
  const { pool, entry } = await findDisk(world, request.name, call.signal);
  mustNotShrink(entry, request.virtualSize);
  const mayBe = (where: Pool, writer: Writer, { volume }: Entry, virtualSize: bigint) =>
    mayPromise(world, where, writer, { name: volume.name, virtualSize });
  if (entry.format === 'raw')
    return await extend(world, { name: request.name, size: request.virtualSize }, call, mayBe);
  const { name } = entry.volume;
  const wanted = roundUp(request.virtualSize, SECTOR);
  const other = await whoHas(world, entry, call.signal);
  if (other) {
    const asked = { ...whichOf(pool, entry), virtualSize: String(wanted), requestId: call.requestId };
    await answeredBy(other.node, entry, other.cluster.ask(other.node, DiskResize, asked, call.signal));
    return toDisk((await findDisk(world, request.name, call.signal)).entry);
  }
  return await world.turns.take(nameOf(entry), call, async () => {
    const mayHave = (now: Entry) => mustNotShrink(now, request.virtualSize);
    const begun = await claiming(world, { pool, name, mayHave, ...turnOf(call) }, (claim) =>
      pool.change(turnOf(call), async (writer) => {
        const fresh = freshEntry(await writer.find(name), request.name);
        mustNotShrink(fresh, request.virtualSize);
        mustBeAtRest(fresh);
        await mustBeOursToTake(world, pool, fresh, claim);
        if (fresh.virtualSize >= wanted) return fresh;
        await mayBe(pool, writer, fresh, wanted);
        const place = here(world.node);
        const op = intentNote({ operation: 'resize', ...place, id: call.requestId, detail: String(wanted) });
        // What no VM has is opened by qemu-img.
        const activate = fresh.owner === undefined;
        const notes = { op: [op], on: [placeNote(place)] };
        return freshEntry(
          await writer.annotate(name, { ...replaceNotes(fresh.volume, notes), activate }),
          request.name,
        );
      }),
    );
    if (!begun.intent) return toDisk(begun);
    const grown = await finishResize(world, pool, begun);
    const disk = toDisk(grown);
    world.emit(DiskResized, { disk, from: entry.virtualSize });
    return disk;
  });
}

/**
 * Brings a begun resize to its end, whatever of it is done already: it only ever grows. An image that could not be grown
 * stays as it was, and the intent goes.
 */
export async function finishResize(world: World, pool: Pool, entry: Entry): Promise<Entry> {
  const { name } = entry.volume;
  const wanted = BigInt(entry.intent?.detail || entry.virtualSize);
  // Not by what is active: an earlier daemon may have died between activating and deactivating. A VM that is off stays so
  // meanwhile: its hook refuses to start it beside the intent.
  const device = entry.owner && (await diskInVm(hypervisorOf(world), entry.owner.vm, entry, world.life));
  const opened = device?.live ? device : undefined;
  if (!opened) await pool.activate(name, world.life);
  const sizeNow = () => readVirtualSize(world.run, entry.volume.path, world.life);
  let failure: unknown;
  if ((await sizeNow()) < wanted) await grow(world, pool, entry, opened, wanted).catch((error) => (failure = error));
  const vsize = await sizeNow();
  if (!opened) await pool.deactivate(name, world.life);
  const done = await pool.change({ signal: world.life }, (writer) =>
    annotateLate(world.lateNotes, writer, entry.volume, replaceNotes(entry.volume, { op: [], vsize: [String(vsize)] })),
  );
  if (failure !== undefined) throw failure;
  return freshEntry(done, name);
}

/** The guest's own QEMU grows an image that it has open; qemu-img one that nobody has. */
async function grow(world: World, pool: Pool, entry: Entry, opened: VmDisk | undefined, wanted: bigint): Promise<void> {
  if (entry.owner && opened) await hypervisorOf(world).resize(entry.owner.vm, opened.target, wanted, world.life);
  else await resizeImage(world.run, entry.volume.path, wanted, dataLock(pool));
}

/** What a guest sees comes in whole sectors, bytes. */
const SECTOR = 512n;

function mustNotShrink(entry: Entry, virtualSize: bigint): void {
  if (virtualSize >= entry.virtualSize) return;
  const now = formatSize(entry.virtualSize);
  throw coreErrors('no-shrink', `the guest of ${nameOf(entry)} sees ${now}; a disk never shrinks`, {
    hint: `give a size above ${now}`,
  });
}
