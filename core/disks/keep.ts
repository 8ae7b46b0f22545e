// What plugins keep with a disk.
import type { Disk } from '../capabilities/disks.ts';
import { coreErrors } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { isSetting, replaceNotes, toDisk } from './entry.ts';
import { annotateLate } from './late-notes.ts';
import { withLateNotes } from './show.ts';
import { turnOf } from './turns.ts';
import { findDisk, freshEntry, mustHaveData, type World } from './world.ts';

export interface KeepRequest {
  readonly name: string;
  readonly settings: Readonly<Record<string, string | undefined>>;
}

/**
 * Sets settings, or takes away those that are undefined, in one commit; what is so already costs none. Any node may, whoever
 * holds the disk: notes are the pool's. It says how things shall be, not by how much they change, so that a repetition needs
 * no journal. Errors: `core/input` for a key that is none, `core/disk-missing`, `core/disk-busy`, the pool's own.
 */
export async function keep(world: World, request: KeepRequest, call: Call): Promise<Disk> {
  const wanted = notesFor(request.settings);
  const { pool, entry } = await findDisk(world, request.name, call.signal);
  const { name } = entry.volume;
  const kept = await pool.change(turnOf(call), async (writer) => {
    const fresh = freshEntry(await writer.find(name), request.name);
    mustHaveData(fresh);
    const change = replaceNotes(fresh.volume, wanted);
    if (Object.keys({ ...change.add, ...change.drop }).length === 0) return fresh;
    return freshEntry(await annotateLate(world.lateNotes, writer, fresh.volume, change), request.name);
  });
  return toDisk(withLateNotes(world, kept));
}

function notesFor(settings: KeepRequest['settings']) {
  const odd = Object.keys(settings).find((key) => !isSetting(key));
  if (odd !== undefined) {
    throw coreErrors(
      'input',
      `'${odd}' can't be the key of a setting: two words with a dot between them are expected`,
      {
        hint: "the plugin's name, a dot, and what it is: lower-case letters, digits and hyphens, such as autoextend.step",
      },
    );
  }
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, value === undefined ? [] : [value]]));
}
