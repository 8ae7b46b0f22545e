// Volumes: files that have a side file, and regular files of others.
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SltvError, type Volume } from 'sltv';
import { noneIfAbsent } from './errors.ts';
import { objectionToName } from './names.ts';
import type { DirPool } from './pool.ts';
import { listSideFiles, readSideFile, type SideFile } from './side-file.ts';

/** A volume as it stands, and what only this plugin needs to know of it. */
export interface Found {
  readonly volume: Volume;
  /** Undefined for a file of somebody else's. */
  readonly sideFile: SideFile | undefined;
  /** Why its side file can't be read, so that it must not be written either. */
  readonly problem: SltvError | undefined;
  /** A crash between the two leaves a side file without its file. */
  readonly hasFile: boolean;
  /** Bytes that the file system has given to the file. */
  readonly taken: bigint;
}

/** The volume of that name; undefined when there is none. */
export async function findVolume(pool: DirPool, name: string): Promise<Found | undefined> {
  if (objectionToName(name) !== undefined) return undefined;
  const path = join(pool.directory, name);
  const file = await fileAt(path);
  const { sideFile, problem } = await sideFileOf(pool, name);
  if (!file && !sideFile && !problem) return undefined;
  return {
    volume: {
      pool: pool.name,
      name,
      // A file that grows by itself may have outgrown what it was promised.
      size: largest(file?.size ?? 0n, sideFile?.size ?? 0n),
      path,
      notes: sideFile?.notes ?? {},
      createdAt: sideFile?.createdAt,
      createdOn: sideFile?.createdOn,
      ...(problem === undefined ? {} : { problem }),
    },
    sideFile,
    problem,
    hasFile: file !== undefined,
    taken: file?.taken ?? 0n,
  };
}

/** All volumes by name. */
export async function listVolumes(pool: DirPool): Promise<readonly Found[]> {
  const entries = await readdir(pool.directory, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => name);
  const names = [...new Set([...files, ...(await listSideFiles(pool))])].sort();
  const found: Found[] = [];
  // One after another: thousands of files at once would be thousands of open descriptors.
  for (const name of names) {
    const volume = await findVolume(pool, name);
    if (volume) found.push(volume);
  }
  return found;
}

/** A regular file's size and what it takes, bytes. Anything else at the path is no volume. */
async function fileAt(path: string): Promise<{ size: bigint; taken: bigint } | undefined> {
  const found = await lstat(path, { bigint: true }).catch(noneIfAbsent);
  return found?.isFile() ? { size: found.size, taken: found.blocks * BLOCK } : undefined;
}

/** The unit in which stat counts, bytes. */
const BLOCK = 512n;

async function sideFileOf(
  pool: DirPool,
  name: string,
): Promise<{ sideFile?: SideFile | undefined; problem?: SltvError | undefined }> {
  try {
    return { sideFile: await readSideFile(pool, name) };
  } catch (error) {
    if (error instanceof SltvError) return { problem: error };
    throw error;
  }
}

const largest = (a: bigint, b: bigint): bigint => (a > b ? a : b);
