// What a thin disk's volume never needs to pass.
import type { Disk } from '../capabilities/disks.ts';
import { fullImageSize, readHeader } from './image.ts';
import { findPool, freshEntry, mustBeThin, mustHaveData, type World } from './world.ts';

/**
 * The size, bytes, of a thin disk's image with every cluster written; undefined where snapshots or bitmaps in it let it grow
 * beyond. An image that is not active here can't be looked at, and is taken for one that sltv made.
 * Errors: `core/disk-missing`, `core/disk-busy`, `core/unsupported` for a thick disk, `core/tool-failed`.
 */
export async function fullSize(
  world: World,
  { pool: poolName, name }: Pick<Disk, 'pool' | 'name'>,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  const pool = await findPool(world, poolName, signal);
  const volume = (await pool.volumes(signal)).find((candidate) => candidate.name === name);
  const entry = freshEntry(volume, `${poolName}/${name}`);
  mustHaveData(entry);
  mustBeThin(entry);
  if (!(await pool.isActive(entry.volume))) return await fullImageSize(world.run, entry.virtualSize, signal);
  const { virtualSize, clusterSize, hasMore } = await readHeader(world.run, entry.volume.path, signal);
  return hasMore ? undefined : await fullImageSize(world.run, virtualSize, signal, clusterSize);
}
