// The files that are volumes.
import { lstat, open, rm, truncate } from 'node:fs/promises';
import { GiB, larger, roundUp, smaller, syncDirectory, type Turn } from 'sltv';
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

interface Growth {
  /** Bytes. */
  readonly from: bigint;
  readonly to: bigint;
  /** Hears how much of it is there. */
  readonly tell?: Turn['tell'];
}

/** Grows a file and takes the room for it now, so that no guest meets a full file system. Errors: `dir/no-space`. */
export async function growFile(pool: DirPool, path: string, growth: Growth): Promise<void> {
  await allocate(pool, path, growth);
  await truncate(path, Number(growth.to));
  await using file = await open(path, 'r+');
  await file.sync();
}

/** Takes a file away; gone already is gone. */
export async function removeFile(pool: DirPool, path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectory(pool.directory);
}

/**
 * Beyond the file's end, so that it has its new size only when all of that is there. In pieces: most file systems are done at
 * once, and on those that are not somebody waits.
 */
async function allocate(pool: DirPool, path: string, { from, to, tell }: Growth): Promise<void> {
  const piece = larger(GiB, roundUp((to - from) / MOST_PIECES, GiB));
  for (let done = from; done < to; done += piece) {
    tell?.({ stage: `taking room in ${pool.directory}`, done: done - from, total: to - from });
    const length = smaller(to - done, piece);
    const args = ['--keep-size', '--offset', String(done), '--length', String(length), path];
    const { code, stderr } = await pool.run.write('fallocate', args, { lock: `dir-${pool.name}` });
    if (code === 0) continue;
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
}

/** A command each. */
const MOST_PIECES = 100n;
