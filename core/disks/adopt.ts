// A volume that somebody else made becomes a disk, with what is on it, and for the VM that has it.
import { randomUUID } from 'node:crypto';
import { type Adoption, type AdoptRequest, DiskAdopted } from '../capabilities/disks.ts';
import type { Notes, Pool, Volume } from '../capabilities/storage.ts';
import { asSltvError, coreErrors, type Kind } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { type Entry, here, type Intent, newNotes, ownerNote, readEntry, replaceNotes, toDisk } from './entry.ts';
import { judge, type Said, whatIsSaid } from './format.ts';
import { findVolume, missing, mustBeUnusedElsewhere } from './others.ts';
import { readQcow2Header } from './qcow2.ts';
import { turnOf } from './turns.ts';
import { lookAtVms, soleUser, type User, usersOf } from './users.ts';
import { findPool, freshEntry, mustBeAtRest, type World } from './world.ts';

/**
 * One volume, or all of a pool that can be; what is left out then is told with its reason. Errors: `core/disk-missing`,
 * `core/disk-exists`, `core/disk-busy`, `core/disk-ambiguous`, `core/disk-attached` to several VMs, `core/disk-elsewhere`, `core/format-unclear`,
 * `core/image-unsafe`, `core/source-unstable`, `core/unsupported`, the pool's own and the hypervisor's.
 */
export async function adopt(world: World, request: AdoptRequest, call: Call): Promise<readonly Adoption[]> {
  let looked: Promise<readonly User[]> | undefined;
  // Once for all of a pool, and not for what is refused anyway.
  const vms = () => (looked ??= lookAtVms(world, call.signal));
  if (request.name !== undefined) {
    const { pool, name } = await findVolume(world, request.name, request.pool, call.signal);
    return [await adoptOne(world, { pool, name, format: request.format, vms }, call)];
  }
  const pool = await findPool(world, request.pool, call.signal);
  const adoptions: Adoption[] = [];
  for (const { name } of await candidates(world, pool, call)) {
    call.tell?.({ stage: `adopting ${pool.name}/${name}` });
    const one = { pool, name, format: request.format, vms };
    adoptions.push(
      await adoptOne(world, one, idOf(call, pool, name)).catch((error) => leftOut(pool, name, error, call)),
    );
  }
  return adoptions;
}

/** What sltv did not make; and what this very request has made disks of, so that its repetition tells of them again. */
async function candidates(world: World, pool: Pool, call: Call): Promise<readonly Volume[]> {
  const volumes = await pool.volumes(call.signal);
  const isMeant = async (volume: Volume) => {
    const entry = readEntry(volume);
    return !entry || (await world.journal.finished(idOf(call, pool, volume.name).requestId))?.disk === entry.id;
  };
  const answers = await Promise.all(volumes.map(isMeant));
  return volumes.filter((_, n) => answers[n]);
}

/** Each volume is a request of its own. */
const idOf = (call: Call, pool: Pool, name: string): Call => ({
  ...call,
  requestId: `${call.requestId}/${pool.name}/${name}`,
});

/** One that can't be a disk does not keep the others from it; what would keep all of them does. */
function leftOut(pool: Pool, name: string, error: unknown, { signal }: Call): Adoption {
  signal.throwIfAborted();
  const refusal = asSltvError(error);
  if (KEEPS_ALL.includes(refusal.kind)) throw refusal;
  return { pool: pool.name, name, refusal };
}

/** A hypervisor or LVM that does not answer, a daemon that may not. A VM's disk in an odd format is not one. */
const KEEPS_ALL: readonly Kind[] = ['unavailable', 'timeout', 'denied', 'internal'];

interface Wanted {
  readonly pool: Pool;
  readonly name: string;
  readonly format: AdoptRequest['format'];
  /** What all VMs have. */
  readonly vms: () => Promise<readonly User[]>;
}

async function adoptOne(world: World, { pool, name, format, vms }: Wanted, call: Call): Promise<Adoption> {
  const full = `${pool.name}/${name}`;
  return await world.turns.take(full, call, async () => {
    const asked = { name: full, format };
    const past = await world.journal.recall(call.requestId, 'disk.adopt', asked);
    const volume = (await pool.volumes(call.signal)).find((candidate) => candidate.name === name);
    if (!volume) throw missing(pool, name);
    const present = mustBeOthers(volume, past?.disk);
    if (present) return { disk: toDisk(present), because: 'adopted by this request before' };
    const users = await usersOf(volume, await vms());
    const user = soleUser(volume, users);
    const said = whatIsSaid(full, format, users);
    await mustBeUnusedElsewhere(world, pool, volume, call.signal);
    const id = randomUUID();
    await world.journal.decide({
      requestId: call.requestId,
      operation: 'disk.adopt',
      asked,
      pool: pool.name,
      name,
      disk: id,
    });
    world.lateNotes.forget(pool.name, name);
    const begun = await begin(world, pool, volume, user, { id, call });
    const { entry, because } = await finish(world, pool, begun, said).catch(async (error) => {
      await undoAdoption(world, pool, begun);
      throw error;
    });
    await world.journal.finish(call.requestId);
    const disk = toDisk(entry);
    world.emit(DiskAdopted, { disk, because });
    return { disk, because };
  });
}

/** The disk that this request has made of it; undefined while it is somebody else's. Errors: `core/disk-exists`, the volume's problem. */
function mustBeOthers(volume: Volume, mine: string | undefined): Entry | undefined {
  if (volume.problem) throw volume.problem;
  const entry = readEntry(volume);
  if (!entry || (entry.id === mine && !entry.intent)) return entry;
  if (entry.intent?.operation === 'adopt') mustBeAtRest(entry);
  throw coreErrors('disk-exists', `${volume.pool}/${volume.name} is a disk of sltv's already`, {
    hint: `sltv disk show ${volume.pool}/${volume.name}`,
  });
}

/** The first commit: it is this node's to read, and nobody else's to do anything with, until it is known what it is. */
async function begin(
  world: World,
  pool: Pool,
  seen: Volume,
  user: User | undefined,
  { id, call }: { id: string; call: Call },
): Promise<Entry> {
  const { name } = seen;
  const place = here(world.node);
  const isInUse = user?.device.live === true && user.vm.state !== 'off';
  return await pool.change(turnOf(call), async (writer) => {
    const volume = await writer.find(name);
    if (!volume) throw missing(pool, name);
    mustBeOthers(volume, undefined);
    if (!writer.adopt) throw cannotAdopt(pool);
    const wasActive = await pool.isActive(volume);
    const intent: Intent = { operation: 'adopt', ...place, id: call.requestId, detail: wasActive ? WAS_ACTIVE : '' };
    const notes: Notes = {
      ...newNotes({ id, format: 'raw', virtualSize: volume.size }, place, intent),
      ...(user && {
        own: [ownerNote({ vm: user.vm.uuid, target: user.device.target, vmName: user.vm.name })],
        ...(user.device.readOnly ? { ro: ['1'] } : {}),
      }),
    };
    const adopted = await writer.adopt(name, { notes, isInUse }).catch(async (error: unknown) => {
      // It may have been put to sleep before that failed.
      if (wasActive) await pool.activate(name, world.life);
      throw error;
    });
    return freshEntry(adopted, name);
  });
}

/** In an intent's detail: it was active before, so that it is again when nothing comes of it. */
const WAS_ACTIVE = 'active';

/** The last commit: what is on it. It is read only where nobody says that it is raw. */
async function finish(
  world: World,
  pool: Pool,
  begun: Entry,
  said: Said | undefined,
): Promise<{ entry: Entry; because: string }> {
  const { name, path, size } = begun.volume;
  const isInUse = await pool.isActive(begun.volume);
  const isToBeRead = said?.format !== 'raw';
  if (isToBeRead && !isInUse) await pool.activate(name, world.life);
  const header = isToBeRead ? await readQcow2Header(path) : undefined;
  const { format, because, virtualSize } = judge(`${pool.name}/${name}`, size, said, header);
  if (!isInUse) await pool.deactivate(name, world.life);
  const notes = { op: [], fmt: [format], vsize: [String(virtualSize)] };
  const done = await pool.change({ signal: world.life }, (writer) =>
    writer.annotate(name, replaceNotes(begun.volume, notes)),
  );
  return { entry: freshEntry(done, name), because };
}

/** It is somebody else's again, and as active as it was. */
export async function undoAdoption(world: World, pool: Pool, entry: Entry): Promise<void> {
  const { name } = entry.volume;
  if (entry.intent?.detail === WAS_ACTIVE) await pool.activate(name, world.life);
  else await pool.deactivate(name, world.life);
  await pool.change({ signal: world.life }, async (writer) => {
    if ((await writer.find(name))?.notes.disk?.[0] === entry.id) await writer.release?.(name);
  });
}

const cannotAdopt = ({ name, kind }: Pool) =>
  coreErrors('unsupported', `${name} is a pool of kind ${kind}, in which nothing that others made can be adopted`, {
    hint: 'sltv pool list shows which pools are lvm',
  });
