// What this node's daemon answers others that ask about disks.
import type { Cluster, Place } from '../capabilities/cluster.ts';
import { isAt, type Pool, type Volume } from '../capabilities/storage.ts';
import { asSltvError, coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { detach } from './detach.ts';
import { type Entry, nameOf, readEntry, replaceNotes } from './entry.ts';
import { showGuest } from './extend.ts';
import {
  DiskDetach,
  DiskInactive,
  DiskRefresh,
  DiskResize,
  DiskSettled,
  DisksGiveBack,
  VolumeUnused,
} from './questions.ts';
import { resize } from './resize.ts';
import { lookAtVms, usersOf } from './users.ts';
import { allPools, type Found, freshEntry, isHere, type World } from './world.ts';

/** Answers until the daemon stops. */
export function answerOthers(world: World, cluster: Cluster): void {
  cluster.answer(DiskInactive, async ({ claim, ...which }, by) => {
    const found = await find(world, which);
    return found ? await promise(world, found, claim, by) : unseen;
  });
  cluster.answer(DiskSettled, async (promised) => {
    await world.promises.withdraw(promised);
    return {};
  });
  cluster.answer(DiskRefresh, async (which) => {
    const { pool, entry } = await mustFind(world, which);
    await refresh(world, pool, entry);
    return {};
  });
  cluster.answer(DiskDetach, async ({ vm, requestId, ...which }, by) => {
    const { entry } = await mustFind(world, which);
    // Whoever asked waits no longer than a question may.
    const hurried = { ...world, detachPatience: Math.min(world.detachPatience, FORWARDED_PATIENCE) };
    await detach(hurried, { disk: nameOf(entry), vm }, callBy(world, by, requestId));
    return {};
  });
  cluster.answer(DiskResize, async ({ virtualSize, requestId, ...which }, by) => {
    const { entry } = await mustFind(world, which);
    await resize(world, { name: nameOf(entry), virtualSize: BigInt(virtualSize) }, callBy(world, by, requestId));
    return {};
  });
  cluster.answer(VolumeUnused, async (which) => ({ because: await useOf(world, which) }));
  cluster.answer(DisksGiveBack, async () => ({ left: await giveBack(world) }));
}

/** Milliseconds that a guest has to release a disk of which another node is asked to be rid. */
const FORWARDED_PATIENCE = 4_000;

/** Brings the device of a volume that is active here, and a guest that has it, up to the volume's size. */
export async function refresh(world: World, pool: Pool, entry: Entry): Promise<void> {
  if (!(await pool.isActive(entry.volume))) return;
  await pool.refresh?.(entry.volume.name, world.life);
  await showGuest(world, entry, world.life);
}

interface Answer {
  readonly isInactive: boolean;
  readonly isBusy: boolean;
  readonly because: string;
}

const yes: Answer = { isInactive: true, isBusy: false, because: '' };
const no = (because: string): Answer => ({ isInactive: false, isBusy: false, because });
const notYet = (because: string): Answer => ({ isInactive: false, isBusy: true, because });
/** Not no: what is not seen may be active all the same, and a moment later it may be seen. */
const unseen = notYet('it does not see the disk');

/**
 * The promise is kept before anything is looked at: a start that begins now finds it, and one that began before has the
 * volume active by now, or will find it when it looks again (see hook.ts).
 */
async function promise(world: World, { pool, entry }: Found, claim: string, by: Place): Promise<Answer> {
  const subject = nameOf(entry);
  const { name } = entry.volume;
  if (world.turns.isTaken(subject)) return notYet('an operation on it is under way there');
  return await world.turns.take(subject, { signal: world.life }, async () => {
    const promised = { pool: pool.id, name, disk: entry.id, claim, by: by.node };
    await world.promises.give(promised);
    const objection = await letGo(world, pool, entry).catch((error) => asSltvError(error).message);
    if (objection === undefined) return yes;
    await world.promises.withdraw(promised);
    return no(objection);
  });
}

/** Deactivates a volume that nobody uses; why it can't, in a sentence. */
async function letGo(world: World, pool: Pool, entry: Entry): Promise<string | undefined> {
  if (!(await pool.isActive(entry.volume))) return undefined;
  const user = await runningUser(world, entry);
  if (user !== undefined) return `${user} runs there and has it`;
  await pool.deactivate(entry.volume.name, world.life);
  return undefined;
}

/** A hypervisor that does not answer decides nothing: what is open can't be deactivated. */
async function runningUser({ hypervisor, life }: World, { volume, owner }: Entry): Promise<string | undefined> {
  if (!hypervisor || !owner) return undefined;
  try {
    const vm = await hypervisor.find(owner.vm, life);
    if (!vm || vm.state === 'off') return undefined;
    const isIn = (await hypervisor.disks(owner.vm, life)).some((disk) => disk.live && isAt(volume, disk.path));
    return isIn ? vm.name : undefined;
  } catch {
    return undefined;
  }
}

/** Also what is not seen may be in use. */
async function useOf(world: World, which: { pool: string; name: string }): Promise<string> {
  const seen = await volumeOf(world, which);
  if (!seen) return 'it does not see the volume';
  const { pool, volume } = seen;
  const [user] = await usersOf(volume, await lookAtVms(world, world.life));
  if (user) return `VM ${user.vm.name} has it there`;
  return (await pool.isActive(volume)) ? 'it is active there' : '';
}

/** Frees every disk that this node may have active and that no VM has. What is left, as sentences. */
async function giveBack(world: World): Promise<readonly string[]> {
  const left: string[] = [];
  for (const pool of await allPools(world, world.life)) {
    if (!(await pool.facts(world.life)).isShared) continue;
    for (const volume of await pool.volumes(world.life)) {
      const entry = readEntry(volume);
      if (!entry || !(isHere(world, entry) || entry.intent?.node === world.node.id)) continue;
      if (entry.owner || entry.intent)
        left.push(`${nameOf(entry)} is ${entry.owner ? `${entry.owner.vmName}'s` : 'busy'}`);
      else
        await freeIdle(world, pool, entry).catch((error) =>
          left.push(`${nameOf(entry)}: ${asSltvError(error).message}`),
        );
    }
  }
  return left;
}

/** Asleep first, and then, in a commit of its own, without the permission. */
async function freeIdle(world: World, pool: Pool, entry: Entry): Promise<void> {
  const { name } = entry.volume;
  await world.turns.take(nameOf(entry), { signal: world.life }, async () => {
    await pool.deactivate(name, world.life);
    await pool.change({ signal: world.life }, async (writer) => {
      const fresh = freshEntry(await writer.find(name), nameOf(entry));
      if (fresh.owner || fresh.intent) return;
      const others = (fresh.volume.notes.on ?? []).filter((note) => !note.startsWith(`${world.node.id}/`));
      await writer.annotate(name, replaceNotes(fresh.volume, { on: others }));
    });
  });
}

async function find(world: World, which: { pool: string; name: string; disk: string }): Promise<Found | undefined> {
  const seen = await volumeOf(world, which);
  if (!seen) return undefined;
  const entry = readEntry(seen.volume);
  return entry?.id === which.disk ? { pool: seen.pool, entry } : undefined;
}

/** As every node knows it; undefined where it is not seen. */
async function volumeOf(
  world: World,
  { pool: id, name }: { pool: string; name: string },
): Promise<{ pool: Pool; volume: Volume } | undefined> {
  const pool = (await allPools(world, world.life)).find((candidate) => candidate.id === id);
  const volume = (await pool?.volumes(world.life))?.find((candidate) => candidate.name === name);
  return pool && volume ? { pool, volume } : undefined;
}

async function mustFind(world: World, which: { pool: string; name: string; disk: string }): Promise<Found> {
  const found = await find(world, which);
  if (found) return found;
  throw coreErrors('disk-missing', `node ${world.node.id} sees no such disk as ${which.name}`, {
    hint: 'sltv disk list',
  });
}

const callBy = (world: World, by: Place, requestId: string): Call => ({
  signal: world.life,
  caller: { name: `node:${by.node}`, role: 'operator' },
  requestId,
});
