// Volumes of a shared pool that are active on this host without a note that lets them be: another node may have them.
import type { Pool } from '../capabilities/storage.ts';
import { asSltvError } from '../errors.ts';
import { type Entry, nameOf, readEntry } from './entry.ts';
import { isHere, type World } from './world.ts';

/** Deactivates them, or says loudly why it can't. An operation of this daemon at work on one sees to it itself. */
export async function audit(world: World, pool: Pool, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const isStray = !isHere(world, entry) && (await pool.isActive(entry.volume));
    if (!isStray) world.alarms.clear(keyOf(entry));
    else if (!world.turns.isTaken(nameOf(entry))) await putToSleep(world, pool, entry);
  }
}

async function putToSleep(world: World, pool: Pool, seen: Entry): Promise<void> {
  const { name } = seen.volume;
  await world.turns.take(nameOf(seen), { signal: world.life }, async () => {
    // Under the lock: a hook may have claimed it since, and commits before it activates.
    const entry = await pool.change({ signal: world.life }, async (writer) => {
      const volume = await writer.find(name);
      return volume && readEntry(volume);
    });
    if (!entry || isHere(world, entry)) return;
    try {
      await pool.deactivate(name, world.life);
      world.log.warn('a volume was active here without permission, and is not any more', { disk: nameOf(entry) });
      world.alarms.clear(keyOf(entry));
    } catch (error) {
      const holder = entry.on.map(({ node }) => node).join(', ') || 'nobody';
      world.alarms.raise(
        keyOf(entry),
        `${nameOf(entry)} is active and open on this host, though ${holder} has it: ${asSltvError(error).message}; find who uses it (fuser -v ${entry.volume.path}) and end that`,
      );
    }
  });
}

const keyOf = (entry: Entry): string => `active ${nameOf(entry)}`;
