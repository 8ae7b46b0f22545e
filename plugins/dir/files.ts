// The files that are volumes.
import { lstat, open, rm, truncate } from 'node:fs/promises';
import { syncDirectory } from 'sltv';
import { fail } from './errors.ts';
import type { DirPool } from './pool.ts';

/** Whether a regular file is there. */
export async function isFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isFile() ?? false;
}

/** Makes an empty file that only its owner may open: libvirt hands it to QEMU's user for as long as a VM has it. */
export async function makeFile(pool: DirPool, path: string): Promise<void> {
  await (await open(path, 'wx', 0o600)).close();
  await syncDirectory(pool.directory);
}

/** Grows a file and takes the room for it now, so that no guest meets a full file system. Errors: `dir/no-space`. */
export async function growFile(pool: DirPool, path: string, from: bigint, to: bigint): Promise<void> {
  if (to > from) await allocate(pool, path, from, to);
  await truncate(path, Number(to));
  await using file = await open(path, 'r+');
  await file.sync();
}

/** Takes a file away; gone already is gone. */
export async function removeFile(pool: DirPool, path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectory(pool.directory);
}

/** Beyond the file's end, so that it has its new size only when all of that is there. */
async function allocate(pool: DirPool, path: string, from: bigint, to: bigint): Promise<void> {
  const args = ['--keep-size', '--offset', String(from), '--length', String(to - from), path];
  const { code, stderr } = await pool.run.write('fallocate', args, { lock: `dir-${pool.name}` });
  if (code === 0) return;
  if (/not supported/i.test(stderr)) {
    pool.log.warn('this file system reserves no room: a guest may meet it full', { path });
    return;
  }
  // What it got before it failed would else be kept beyond the end.
  await truncate(path, Number(from));
  const detail = { hint: `free some space there: df -h ${pool.directory}`, cause: stderr };
  throw /no space|quota/i.test(stderr)
    ? fail('no-space', `pool ${pool.name} (${pool.directory}) has no room for ${to - from} bytes more`, detail)
    : fail('tool-failed', `fallocate failed on ${path}: ${stderr.trim()}`, { cause: stderr });
}
