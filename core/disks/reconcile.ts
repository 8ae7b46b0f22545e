// Brings every disk of this node to rest that a crash, or a guest that did not answer, left half-way.
import type { BlockStatistics } from '../capabilities/hypervisor.ts';
import { isAt, type Pool } from '../capabilities/storage.ts';
import { asSltvError } from '../errors.ts';
import { undoAdoption } from './adopt.ts';
import { finishAttach, undoAttach } from './attach.ts';
import { audit } from './audit.ts';
import { finishCreation, removeDisk, undoCreation } from './create.ts';
import { finishDetach, takeOut } from './detach.ts';
import { type Entry, here, type Intent, intentNote, nameOf, placeNote, readEntry, replaceNotes } from './entry.ts';
import { guestBehind, showGuest } from './extend.ts';
import { inherit } from './inherit.ts';
import { fencedLives, tidyPromises } from './permission.ts';
import { finishResize } from './resize.ts';
import { allPools, diskInVm, hypervisorOf, isHere, type World } from './world.ts';

/**
 * Ends what can be ended now of all that this node began. What can't (a guest keeps a device, the hypervisor doesn't
 * answer) stays as it is and is tried again at the next call. Children of earlier daemons have ended before it is called.
 */
export async function reconcile(world: World, behind = guestsBehind(world)): Promise<void> {
  const pools = await allPools(world, world.life);
  await tidyPromises(world.promises, pools, world.life);
  for (const pool of pools) {
    const volumes = await pool.volumes(world.life).catch((error) => {
      if (!world.life.aborted)
        world.log.warn('a pool could not be read', { pool: pool.name, error: asSltvError(error) });
      return [];
    });
    const entries = volumes.flatMap((volume) => readEntry(volume) ?? []).filter(({ isNewer }) => !isNewer);
    for (const entry of entries) {
      const needsUs = entry.intent
        ? isOurs(world, entry.intent)
        : (await isStale(world, pool, entry)) || (await behind(entry));
      if (needsUs) await settle(world, pool, entry.volume.name, nameOf(entry));
    }
    if (world.cluster) await attempt(world, pool.name, () => tendShared(world, pool, entries));
  }
}

/** What no host alone has: volumes that are active without permission, and what lives that are over left. */
async function tendShared(world: World, pool: Pool, entries: readonly Entry[]): Promise<void> {
  const facts = await pool.facts(world.life);
  if (!facts.isShared) return;
  await audit(world, pool, entries);
  const fenced = fencedLives(facts);
  // A life that counts as over writes nothing more.
  if (fenced.some(({ node, boot }) => node === world.node.id && boot === world.node.bootId)) return;
  await inherit(world, pool, entries, fenced);
}

/** Another node has extended it since it was activated here. */
async function isStale(world: World, pool: Pool, entry: Entry): Promise<boolean> {
  if (!pool.isCurrent || !isHere(world, entry)) return false;
  return (await pool.isActive(entry.volume)) && !(await pool.isCurrent(entry.volume));
}

/**
 * Says which thick disks' guests don't know their size. One look at all guests for all disks, and none where no guest could
 * be behind: this is asked after every event.
 */
function guestsBehind(world: World): (entry: Entry) => Promise<boolean> {
  let statistics: Promise<readonly BlockStatistics[]> | undefined;
  return async (entry) => {
    if (entry.format !== 'raw' || !entry.owner || !isHere(world, entry)) return false;
    statistics ??= lookAtGuests(world);
    return guestBehind(entry, await statistics) !== undefined;
  };
}

async function lookAtGuests(world: World): Promise<readonly BlockStatistics[]> {
  try {
    return (await world.hypervisor?.statistics(world.life)) ?? [];
  } catch (error) {
    if (!world.life.aborted) world.log.warn('the guests could not be looked at', { error: asSltvError(error) });
    return [];
  }
}

/**
 * Once, at the daemon's start: thick disks whose creation nobody was told of, and volumes that a crash left active though
 * nobody has them.
 */
export async function reconcileStart(world: World): Promise<void> {
  const pools = await allPools(world, world.life);
  for (const decision of await world.journal.unfinished('disk.create')) {
    const pool = pools.find((candidate) => candidate.name === decision.pool);
    const entry = pool && (await entryNow(pool, decision.name));
    if (pool && entry?.id === decision.disk) {
      await attempt(world, nameOf(entry), () => finishCreation(world, pool, entry, decision));
    } else {
      await world.journal.finish(decision.requestId);
    }
  }
  await world.journal.prune();
  // Which guests don't know a disk's size is asked when the hypervisor says that it is there: it may be waiting for this daemon.
  await reconcile(world, async () => false);
  for (const pool of pools) await putToRest(world, pool);
}

/** What a guest has open without owning it, somebody gave it by hand: that stays as it is. */
async function putToRest(world: World, pool: Pool): Promise<void> {
  let open: readonly (string | undefined)[] | undefined;
  for (const volume of await pool.volumes(world.life).catch(() => [])) {
    const entry = readEntry(volume);
    const isIdle = entry && !entry.owner && !entry.intent && isHere(world, entry);
    if (!isIdle || !(await pool.isActive(volume))) continue;
    open ??= (await lookAtGuests(world)).map(({ path }) => path);
    if (open.some((path) => isAt(volume, path)))
      world.log.info('a guest has a disk that is not its own', { disk: nameOf(entry) });
    else await attempt(world, nameOf(entry), () => pool.deactivate(volume.name, world.life));
  }
}

const isOurs = (world: World, intent: Intent): boolean => intent.node === world.node.id;

/** One disk, unless an operation of this daemon is at work on it. */
async function settle(world: World, pool: Pool, name: string, subject: string): Promise<void> {
  if (world.turns.isTaken(subject)) return;
  await attempt(world, subject, () =>
    world.turns.take(subject, { signal: world.life }, async () => {
      const entry = await renewed(world, pool, name);
      if (entry && (!entry.intent || isOurs(world, entry.intent))) await moveOn(world, pool, entry);
    }),
  );
}

/**
 * The disk as it is now. What an earlier life of this node began becomes this one's, before anything is done about it: after a
 * fence others may be about to end it, and either they are first, and it is not ours any more, or they find a life that is not over.
 */
async function renewed(world: World, pool: Pool, name: string): Promise<Entry | undefined> {
  return await pool.change({ signal: AbortSignal.any([world.life, AbortSignal.timeout(60_000)]) }, async (writer) => {
    const volume = await writer.find(name);
    const entry = volume && readEntry(volume);
    const { intent } = entry ?? {};
    if (!entry || !intent || !world.cluster || !isOurs(world, intent) || intent.boot === world.node.bootId)
      return entry;
    const place = here(world.node);
    const others = entry.on.filter(({ node }) => node !== place.node);
    const on = entry.on.length === others.length ? others : [...others, place];
    const notes = { op: [intentNote({ ...intent, ...place })], on: on.map(placeNote) };
    return readEntry(await writer.annotate(name, replaceNotes(entry.volume, notes)));
  });
}

async function moveOn(world: World, pool: Pool, entry: Entry): Promise<void> {
  const { name } = entry.volume;
  switch (entry.intent?.operation) {
    case undefined:
      if (await isStale(world, pool, entry)) await pool.refresh?.(name, world.life);
      return await showGuest(world, entry, world.life);
    case 'create':
      world.log.info('taking back a creation that did not end', { disk: nameOf(entry) });
      return await undoCreation(world, pool, name, entry.id);
    case 'adopt':
      world.log.info('taking back an adoption that did not end', { disk: nameOf(entry) });
      return await undoAdoption(world, pool, entry);
    case 'delete':
    case 'wipe':
      world.log.info('ending a deletion', { disk: nameOf(entry) });
      await pool.deactivate(name, world.life);
      return await removeDisk(pool, name, entry.id, world.life);
    case 'attach':
      return await settleAttach(world, pool, entry);
    case 'detach':
      return await settleDetach(world, pool, entry);
    case 'resize':
      await finishResize(world, pool, entry);
      return;
    case 'move':
      return; // Ended by the side whose QEMU runs.
  }
}

async function settleAttach(world: World, pool: Pool, entry: Entry): Promise<void> {
  const device = await diskInVm(hypervisorOf(world), entry.owner?.vm ?? '', entry, world.life);
  world.log.info(device ? 'ending an attach' : 'taking back an attach', {
    disk: nameOf(entry),
    vm: entry.owner?.vmName,
  });
  if (device) await finishAttach(world, pool, entry, device);
  else await undoAttach(world, pool, entry);
}

async function settleDetach(world: World, pool: Pool, entry: Entry): Promise<void> {
  if ((await takeOut(world, entry, 0)) === 'pending') return;
  world.log.info('ending a detach', { disk: nameOf(entry), vm: entry.owner?.vmName });
  await finishDetach(world, pool, entry);
}

async function entryNow(pool: Pool, name: string): Promise<Entry | undefined> {
  return await pool.change({ signal: AbortSignal.timeout(60_000) }, async (writer) => {
    const volume = await writer.find(name);
    return volume && readEntry(volume);
  });
}

async function attempt(world: World, subject: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (world.life.aborted) return;
    world.log.warn('a disk could not be brought to rest; it is tried again', {
      disk: subject,
      error: asSltvError(error),
    });
  }
}
