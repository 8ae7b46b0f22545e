// The catalogue: `<pool>/<volume>/notes.json` beside `<pool>/<volume>/disk`.
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { larger, type Notes, type Volume, v, writeDurably } from 'sltv';

export interface FolderPool {
  readonly name: string;
  readonly folder: string;
  /** Bytes. */
  readonly capacity: bigint;
}

/** Every size is a multiple of it, bytes: a cluster of qcow2. */
export const EXTENT = 65_536n;

/** What stands beside a volume's bytes. */
export interface Kept {
  readonly notes: Notes;
  /** What an image that grows by itself was promised, bytes; a raw file's size is its own. */
  readonly promised: bigint;
}

const KeptFile = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    notes: v.record(v.string(), v.array(v.string())),
    promised: v.pipe(v.string(), v.digits(), v.toBigint()),
  }),
);

export const folderOf = (pool: FolderPool, name: string): string => join(pool.folder, name);
export const diskIn = (folder: string): string => join(folder, 'disk');
const notesIn = (folder: string): string => join(folder, 'notes.json');

/** Commits notes: after a power cut they are the old or the new, whole. */
export const keep = (folder: string, { notes, promised }: Kept): Promise<void> =>
  writeDurably(notesIn(folder), JSON.stringify({ notes, promised: `${promised}` }));

/** All volumes by name. */
export async function listVolumes(pool: FolderPool): Promise<readonly Volume[]> {
  const entries = await readdir(pool.folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  const found = await Promise.all(names.sort().map((name) => findVolume(pool, name)));
  return found.filter((volume) => volume !== undefined);
}

/** The volume of that name; one without notes is somebody else's. */
export async function findVolume(pool: FolderPool, name: string): Promise<Volume | undefined> {
  if (objectionToName(name) !== undefined) return undefined;
  const folder = folderOf(pool, name);
  const file = await lstat(diskIn(folder), { bigint: true }).catch(() => undefined);
  if (!file) return undefined;
  const kept = await readKept(folder);
  const size = larger(file.size, kept?.promised ?? 0n);
  return { pool: pool.name, name, size, path: diskIn(folder), notes: kept?.notes ?? {} };
}

export async function readKept(folder: string): Promise<Kept | undefined> {
  const text = await readFile(notesIn(folder), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : v.parse(KeptFile, text);
}

export const isFile = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined))?.isFile() ?? false;

/** Says in a sentence why no volume can have this name; undefined when one can. */
export function objectionToName(name: string): string | undefined {
  if (name === '') return 'a folder needs a name';
  if (name.startsWith('.')) return 'what begins with a dot is hidden, and so never a volume';
  if (/[/\0]/.test(name)) return 'a folder has no slash in its name';
  // A volume that is being made has a word before its name.
  return Buffer.byteLength(name) > 200 ? 'a name has at most 200 bytes here' : undefined;
}
