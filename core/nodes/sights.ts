// What this node sees of pools, told to the others.
import type { PoolSight } from '../capabilities/cluster.ts';
import type { Pool } from '../capabilities/storage.ts';
import { asSltvError } from '../errors.ts';
import type { NodesWorld } from './world.ts';

/** Tells it as it is now. Every pool, shared or not: what one host shares may have a namesake on another. */
export async function tellSights({ storages, cluster, life, poolNames }: NodesWorld): Promise<void> {
  const pools = (await Promise.all(storages.map((storage) => storage.pools(life)))).flat();
  for (const { id, name } of pools) poolNames.set(id, name);
  cluster?.tell(await Promise.all(pools.map((pool) => sightOf(pool, life))));
}

async function sightOf(pool: Pool, signal: AbortSignal): Promise<PoolSight> {
  const { name, id } = pool;
  try {
    return { name, id, trouble: (await pool.facts(signal)).readOnlyBecause };
  } catch (error) {
    signal.throwIfAborted();
    return { name, id, trouble: asSltvError(error).message };
  }
}
