// What a turn may do. Each step is one commit: a folder that is renamed into place, or notes that are replaced.
import { glob, mkdir, open, readlink, rename, rm } from 'node:fs/promises';
import { formatSize, type Notes, roundUp, syncDirectory, type Volume, type Writer } from 'sltv';
import { fail, missing } from './errors.ts';
import {
  diskIn,
  EXTENT,
  type FolderPool,
  findVolume,
  folderOf,
  keep,
  listVolumes,
  objectionToName,
  readKept,
} from './volumes.ts';

export interface WriterOptions {
  /** Refuses a step whose turn is over. */
  readonly during: <R>(step: () => Promise<R>) => Promise<R>;
  readonly room: () => Promise<{ readonly free: bigint }>;
}

export function createWriter(pool: FolderPool, { during, room }: WriterOptions): Writer {
  const present = async (name: string): Promise<Volume> => {
    const volume = await findVolume(pool, name);
    if (volume) return volume;
    throw missing(pool.name, name);
  };
  const mustHaveRoom = async (bytes: bigint) => {
    const { free } = await room();
    if (bytes <= free) return;
    throw fail('full', `pool ${pool.name} has ${formatSize(free)} free, ${formatSize(bytes)} are needed`);
  };
  return {
    find: (name) => during(() => findVolume(pool, name)),
    volumes: () => during(() => listVolumes(pool)),
    create: ({ name, size, notes, format }) =>
      during(async () => {
        const objection = objectionToName(name);
        if (objection !== undefined) throw fail('bad-name', `'${name.slice(0, 80)}' can't be a volume: ${objection}`);
        if (await findVolume(pool, name)) throw fail('taken', `there is a volume ${pool.name}/${name} already`);
        const bytes = roundUp(size, EXTENT);
        await mustHaveRoom(bytes);
        const fresh = `${pool.folder}/.new-${name}`;
        // What a crash left half-made.
        await rm(fresh, { recursive: true, force: true });
        await mkdir(fresh, { mode: 0o711 });
        await resize(diskIn(fresh), format === 'raw' ? bytes : 0n);
        await keep(fresh, { notes: changed({}, { add: notes }), promised: format === 'raw' ? 0n : bytes });
        await rename(fresh, folderOf(pool, name));
        await syncDirectory(pool.folder);
        return present(name);
      }),
    extend: (name, size) =>
      during(async () => {
        const volume = await present(name);
        const bytes = roundUp(size, EXTENT);
        if (bytes <= volume.size) return volume;
        await mustHaveRoom(bytes - volume.size);
        const kept = await readKept(folderOf(pool, name));
        // An image that grows by itself is promised more; nobody else may cut a file to a size.
        if (kept && kept.promised > 0n) await keep(folderOf(pool, name), { ...kept, promised: bytes });
        else await resize(volume.path, bytes);
        return present(name);
      }),
    annotate: (name, change) =>
      during(async () => {
        const volume = await present(name);
        const notes = changed(volume.notes, change);
        if (JSON.stringify(notes) === JSON.stringify(volume.notes)) return volume;
        const kept = await readKept(folderOf(pool, name));
        await keep(folderOf(pool, name), { promised: kept?.promised ?? 0n, notes });
        return present(name);
      }),
    remove: (name) =>
      during(async () => {
        const volume = await findVolume(pool, name);
        if (!volume) return;
        if (await isOpen(volume.path)) {
          throw fail('open', `${volume.path} is open`, { hint: `see who has it: fuser -v ${volume.path}` });
        }
        const gone = `${pool.folder}/.gone-${name}`;
        await rm(gone, { recursive: true, force: true });
        await rename(folderOf(pool, name), gone);
        await syncDirectory(pool.folder);
        await rm(gone, { recursive: true, force: true });
      }),
  };
}

/** Only its owner may open it: libvirt hands it to QEMU's user for as long as a VM has it. */
async function resize(path: string, bytes: bigint): Promise<void> {
  await using file = await open(path, 'a', 0o600);
  await file.truncate(Number(bytes));
  await file.sync();
}

/** The notes after a change: values stand once, and keys without any are gone. */
function changed(notes: Notes, { add = {}, drop = {} }: { add?: Notes; drop?: Notes }): Notes {
  const keys = [...new Set([...Object.keys(notes), ...Object.keys(add)])];
  const after = keys.map((key): [string, string[]] => {
    const left = (notes[key] ?? []).filter((value) => !drop[key]?.includes(value));
    return [key, [...new Set([...left, ...(add[key] ?? [])])]];
  });
  return Object.fromEntries(after.filter(([, values]) => values.length > 0));
}

/** Whether a process of this host has the file open: a file system would let it be removed all the same. */
async function isOpen(path: string): Promise<boolean> {
  for await (const descriptor of glob('/proc/[0-9]*/fd/*')) {
    if ((await readlink(descriptor).catch(() => '')) === path) return true;
  }
  return false;
}
