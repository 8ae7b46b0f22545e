// What a turn may do. The side file comes first and goes last, so that whatever a crash leaves behind is known.
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatSize, type NewVolume, roundUp, type Turn, type Volume, type Writer } from 'sltv';
import { fail, missingFile, missingVolume, noneIfAbsent } from './errors.ts';
import { growFile, makeFile, removeFile } from './files.ts';
import { objectionToName } from './names.ts';
import { changeNotes, isDone } from './notes.ts';
import { isOpen } from './open-files.ts';
import type { DirPool } from './pool.ts';
import { EXTENT, readRoom } from './room.ts';
import { removeSideFile, writeSideFile } from './side-file.ts';
import { type Found, findVolume, listVolumes } from './volumes.ts';

type During = <T>(step: () => Promise<T>) => Promise<T>;
/** Hears how much of a file has its room. */
export type Tell = NonNullable<Turn['tell']>;

/** Every step goes through `during`, which refuses it once the turn is over. */
export function createWriter(pool: DirPool, during: During, tell: Tell | undefined): Writer {
  return {
    find: (name) => during(async () => (await findVolume(pool, name))?.volume),
    volumes: () => during(async () => (await listVolumes(pool)).map(({ volume }) => volume)),
    create: (volume) => during(() => create(pool, volume, tell)),
    extend: (name, size) => during(() => extend(pool, name, size, tell)),
    annotate: (name, change) =>
      during(async () => {
        const { volume, sideFile, hasFile } = await presentVolume(pool, name);
        if (change.activate && !hasFile) throw missingFile(volume);
        if (isDone(volume.notes, change)) return volume;
        await writeSideFile(pool, name, { ...sideFile, notes: changeNotes(volume.notes, change) });
        return (await presentVolume(pool, name)).volume;
      }),
    remove: (name) => during(() => remove(pool, name)),
  };
}

async function create(pool: DirPool, { name, size, notes, format }: NewVolume, tell?: Tell): Promise<Volume> {
  const objection = objectionToName(name);
  if (objection !== undefined) throw fail('bad-name', `'${name.slice(0, 80)}' can't be a volume: ${objection}`);
  const path = join(pool.directory, name);
  // Whatever lies at the path, a directory or a link too, is somebody's.
  if ((await findVolume(pool, name)) || (await lstat(path).catch(noneIfAbsent))) {
    throw fail('volume-exists', `${path} exists`, { hint: 'choose another name' });
  }
  const bytes = roundUp(size, EXTENT);
  await mustHaveRoom(pool, bytes);
  // A qcow2 image takes its room as it grows: its size is what it was promised.
  const promised = format === 'qcow2' ? { size: bytes } : {};
  const created = { createdAt: new Date(), createdOn: pool.node.id };
  await using undo = new AsyncDisposableStack();
  undo.defer(() => removeSideFile(pool, name));
  await writeSideFile(pool, name, { ...created, ...promised, notes: changeNotes({}, { add: notes }) });
  await makeFile(pool, path);
  undo.defer(() => removeFile(pool, path));
  if (format === 'raw') await growFile(pool, path, { from: 0n, to: bytes, tell });
  const { volume } = await presentVolume(pool, name);
  undo.move();
  return volume;
}

async function extend(pool: DirPool, name: string, size: bigint, tell?: Tell): Promise<Volume> {
  const { volume, sideFile, hasFile } = await presentVolume(pool, name);
  const bytes = roundUp(size, EXTENT);
  if (bytes <= volume.size) return volume;
  if (!hasFile) throw missingFile(volume);
  await mustHaveRoom(pool, bytes - volume.size);
  if (sideFile?.size === undefined) await growFile(pool, volume.path, { from: volume.size, to: bytes, tell });
  else await writeSideFile(pool, name, { ...sideFile, size: bytes });
  return (await presentVolume(pool, name)).volume;
}

async function remove(pool: DirPool, name: string): Promise<void> {
  const found = await findVolume(pool, name);
  if (!found) return;
  if (found.problem) throw found.problem;
  const { path } = found.volume;
  if (await isOpen(path)) {
    throw fail('open', `${path} is open`, { hint: `see who has it: fuser -v ${path}` });
  }
  await removeFile(pool, path);
  await removeSideFile(pool, name);
}

async function presentVolume(pool: DirPool, name: string): Promise<Found> {
  const found = await findVolume(pool, name);
  if (!found) throw missingVolume(pool.name, name);
  if (found.problem) throw found.problem;
  return found;
}

async function mustHaveRoom(pool: DirPool, bytes: bigint): Promise<void> {
  const { free } = await readRoom(pool);
  if (bytes <= free) return;
  throw fail('no-space', `pool ${pool.name} has ${formatSize(free)} free, ${formatSize(bytes)} are needed`, {
    hint: `free some space there: df -h ${pool.directory}`,
  });
}
