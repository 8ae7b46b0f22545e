// How much room a pool has that nobody was promised.
import { statfs } from 'node:fs/promises';
import { KiB } from 'sltv';
import type { DirPool } from './pool.ts';
import { type Found, listVolumes } from './volumes.ts';

/** A qcow2 image's cluster, and a multiple of every file system's block: bytes. */
export const EXTENT = 64n * KiB;

/** Bytes of the file system, and those of them that are free and that no volume was promised. */
export async function readRoom(pool: DirPool): Promise<{ size: bigint; free: bigint }> {
  const [{ blocks, bavail, bsize }, volumes] = await Promise.all([
    statfs(pool.directory, { bigint: true }),
    listVolumes(pool),
  ]);
  const free = bavail * bsize - volumes.reduce((sum, volume) => sum + owedTo(volume), 0n);
  return { size: blocks * bsize, free: free > 0n ? free : 0n };
}

/** What a file may still take without asking. */
function owedTo({ volume, taken }: Found): bigint {
  return volume.size > taken ? volume.size - taken : 0n;
}
