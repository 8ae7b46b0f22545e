// A new disk: thick, a raw volume; thin, a qcow2 image on a volume that grows.
import { randomUUID } from 'node:crypto';
import { CreateDisk, type CreateRequest, type Disk, DiskCreated } from '../capabilities/disks.ts';
import type { Pool, Volume } from '../capabilities/storage.ts';
import { asSltvError, coreErrors, SltvError } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { formatSize, roundUp } from '../units.ts';
import {
  type Entry,
  here,
  type Intent,
  nameOf,
  newNotes,
  placeNote,
  readEntry,
  replaceNotes,
  toDisk,
} from './entry.ts';
import { createImage, fullImageSize } from './image.ts';
import type { Decision } from './journal.ts';
import { mayCreate } from './limits.ts';
import { checkName } from './names.ts';
import { honour } from './permission.ts';
import { turnOf } from './turns.ts';
import { clearEnds } from './wipe.ts';
import { dataLock, findPool, freshEntry, isHere, type World } from './world.ts';

interface Sizes {
  readonly physical: bigint;
  readonly virtual: bigint;
}

/**
 * Makes a disk. Errors: `core/bad-name`, `core/bad-size`, `core/pool-missing`, `core/disk-exists`, `core/gate-refused`,
 * `core/pool-reserve`, `core/overcommit`, and the pool's own, such as no room.
 */
export async function create(world: World, request: CreateRequest, call: Call): Promise<Disk> {
  const pool = await findPool(world, request.pool, call.signal);
  const { name } = request;
  checkName(name, pool);
  const sizes = await chooseSizes(world, request, call.signal);
  return await world.turns.take(`${pool.name}/${name}`, call, async () => {
    const past = await world.journal.recall(call.requestId, 'disk.create', request);
    const present = (await pool.volumes(call.signal)).find((volume) => volume.name === name);
    if (present && past && isHalfMade(present, past)) await undoCreation(world, pool, name, past.disk);
    else if (present) {
      const made = whatThisRequestMade(present, past);
      if (past?.done === false) await finishCreation(world, pool, made, past);
      return toDisk(made);
    }
    const subject = {
      disk: name,
      pool: pool.name,
      mode: request.mode,
      size: sizes.physical,
      virtualSize: sizes.virtual,
    };
    await world.ask(CreateDisk, subject, call.signal);
    // Whatever had this name here before is gone, be it by another's hand.
    world.lateNotes.forget(pool.name, name);
    const id = randomUUID();
    await world.journal.decide({
      requestId: call.requestId,
      operation: 'disk.create',
      asked: request,
      pool: pool.name,
      name,
      disk: id,
    });
    const made =
      request.mode === 'thin'
        ? await createThin(world, pool, name, id, sizes, call).catch((error) => smallerMayDo(error, request))
        : await createThick(world, pool, name, id, sizes, call);
    const disk = toDisk(made);
    world.emit(DiskCreated, { disk });
    return disk;
  });
}

/**
 * Ends a creation that nobody was told of: the ends of a thick disk are cleared, unless somebody has had it since; a thin disk
 * without an intent is whole.
 */
export async function finishCreation(world: World, pool: Pool, entry: Entry, { requestId }: Decision): Promise<void> {
  // An attachment that has ended took `on` with it: such a disk has data, whatever an old journal says.
  const isUntouched = (each: Entry) => isHere(world, each) && !each.owner && !each.intent;
  if (entry.format === 'raw' && isUntouched(entry)) {
    const { name, path, size } = entry.volume;
    const isStillOurs = await pool.change({ signal: world.life }, async (writer) => {
      const fresh = freshEntry(await writer.find(name), nameOf(entry));
      await honour(world.promises, fresh);
      if (fresh.id !== entry.id || !isUntouched(fresh)) return false;
      // By a note of this life, which nobody takes for over.
      const notes = { on: [placeNote(here(world.node))] };
      await writer.annotate(name, { ...replaceNotes(fresh.volume, notes), activate: true });
      return true;
    });
    if (isStillOurs) {
      await clearEnds(path, size);
      await pool.deactivate(name, world.life);
    }
  }
  await world.journal.finish(requestId);
}

/** Takes back what was made of a disk that can't be finished. By its id: another node may have done so, and a third made another. */
export async function undoCreation(world: World, pool: Pool, name: string, id: string): Promise<void> {
  const volume = (await pool.volumes(world.life)).find((candidate) => candidate.name === name);
  if (volume?.notes.disk?.[0] !== id) return;
  await pool.deactivate(name, world.life);
  await removeDisk(pool, name, id, world.life);
}

/** Removes the volume of a disk, unless that name is another's by now. */
export async function removeDisk(pool: Pool, name: string, id: string, signal: AbortSignal): Promise<void> {
  await pool.change({ signal }, async (writer) => {
    if ((await writer.find(name))?.notes.disk?.[0] === id) await writer.remove(name);
  });
}

/**
 * One commit: the volume is a whole disk from its first moment, and what is cleared afterwards is only what an earlier
 * tenant left. Where that can't be cleared there shall be no disk. A daemon that died in between clears it when it comes
 * back, from its journal; so does one that could not take the disk back.
 */
async function createThick(
  world: World,
  pool: Pool,
  name: string,
  id: string,
  sizes: Sizes,
  call: Call,
): Promise<Entry> {
  const notes = newNotes({ id, format: 'raw', virtualSize: sizes.virtual }, here(world.node));
  const volume = await pool.change(turnOf(call), async (writer) => {
    await mayCreate(world, pool, writer, { name, format: 'raw', size: sizes.physical, virtualSize: sizes.virtual });
    return await writer.create({ name, size: sizes.physical, notes, format: 'raw', active: true });
  });
  call.tell?.({ stage: 'clearing its ends' });
  try {
    await clearEnds(volume.path, volume.size);
  } catch (error) {
    await undoCreation(world, pool, name, id).catch((undoing) =>
      world.log.warn('a disk that could not be cleared is left', {
        disk: `${pool.name}/${name}`,
        error: asSltvError(undoing),
      }),
    );
    throw error;
  }
  await endCreation(world, pool, name, call);
  return freshEntry(volume, name);
}

/** A daemon that dies when only one of the two is done puts the disk to sleep at its next start, or ends the creation again. */
async function endCreation(world: World, pool: Pool, name: string, { requestId }: Call): Promise<void> {
  await Promise.all([pool.deactivate(name, world.life), world.journal.finish(requestId)]);
}

/** Two commits: the first says that the image isn't written yet, the second that it is. */
async function createThin(
  world: World,
  pool: Pool,
  name: string,
  id: string,
  sizes: Sizes,
  call: Call,
): Promise<Entry> {
  const intent: Intent = { operation: 'create', ...here(world.node), id, detail: '' };
  const notes = newNotes({ id, format: 'qcow2', virtualSize: sizes.virtual }, here(world.node), intent);
  const volume = await pool.change(turnOf(call), async (writer) => {
    await mayCreate(world, pool, writer, { name, format: 'qcow2', size: sizes.physical, virtualSize: sizes.virtual });
    return await writer.create({ name, size: sizes.physical, notes, format: 'qcow2', active: true });
  });
  call.tell?.({ stage: 'writing its image' });
  try {
    await createImage(world.run, volume.path, sizes.virtual, dataLock(pool));
  } catch (error) {
    await undoCreation(world, pool, name, id);
    throw error;
  }
  const done = await pool
    .change({ signal: world.life }, (writer) => writer.annotate(name, replaceNotes(volume, { op: [] })))
    .catch(async (error) => {
      await pool.deactivate(name, world.life);
      throw error;
    });
  await endCreation(world, pool, name, call);
  return freshEntry(done, name);
}

/** This very request began it, and could not end it: whoever has the disk's turn knows that nobody is at it any more. */
function isHalfMade(present: Volume, past: Decision): boolean {
  const entry = readEntry(present);
  return entry?.id === past.disk && entry.intent?.operation === 'create';
}

/** A volume of that name is there: this very request's, or the name is taken. */
function whatThisRequestMade(present: Volume, past: Decision | undefined): Entry {
  const entry = readEntry(present);
  const name = `${present.pool}/${present.name}`;
  if (present.problem) throw present.problem;
  if (!entry) {
    throw coreErrors('disk-exists', `${name} is a volume that sltv did not make`, {
      hint: `choose another name, or rename that volume by hand; in an lvm pool sltv disk adopt ${name} makes a disk of it`,
    });
  }
  if (entry.id === past?.disk && !entry.intent) return entry;
  throw coreErrors('disk-exists', `there is already a disk ${name}`, {
    hint: `choose another name, or sltv disk show ${name}`,
  });
}

/** Nobody who left the first size to us asked for that much room. */
function smallerMayDo(error: unknown, { size }: CreateRequest): never {
  const known = asSltvError(error);
  if (known.kind !== 'exhausted' || size !== undefined) throw error;
  const hint = `begin smaller, as with --size 1G${known.hint === undefined ? '' : `; or ${known.hint}`}`;
  throw new SltvError(known.kind, known.code, known.message, { hint, cause: known.cause });
}

async function chooseSizes(world: World, request: CreateRequest, signal: AbortSignal): Promise<Sizes> {
  const { size, virtualSize } = request;
  if (request.mode === 'thick') {
    if (virtualSize !== undefined && virtualSize !== size) {
      throw coreErrors('bad-size', "a thick disk's guest sees the whole disk, so it has no virtual size of its own", {
        hint: 'give --size alone, or --thin with --virtual-size',
      });
    }
    return { physical: mustBePositive(size, 'a thick disk needs a size above 0', '--size 10G'), virtual: size ?? 0n };
  }
  const wanted = mustBePositive(
    virtualSize,
    'a thin disk needs the virtual size that its guest shall see',
    '--virtual-size 100G',
  );
  const virtual = roundUp(wanted, SECTOR);
  if (size !== undefined && size > virtual) {
    throw coreErrors(
      'bad-size',
      `the initial size ${formatSize(size)} is above the virtual size ${formatSize(virtual)}`,
      {
        hint: 'leave --size out, or give a smaller one',
      },
    );
  }
  if (size !== undefined)
    return { physical: mustBePositive(size, 'the initial size must be above 0', '--size 10G'), virtual };
  if (world.thinInitialSize <= virtual) return { physical: world.thinInitialSize, virtual };
  return { physical: await fullImageSize(world.run, virtual, signal), virtual };
}

/** What a guest sees comes in whole sectors, bytes. */
const SECTOR = 512n;

function mustBePositive(size: bigint | undefined, sentence: string, example: string): bigint {
  if (size !== undefined && size > 0n) return size;
  throw coreErrors('bad-size', sentence, { hint: `for example ${example}` });
}
