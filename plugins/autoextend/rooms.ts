// What the pools have left whose volumes a guest can fill.
import type { Pool, PoolFacts } from 'sltv';
import type { Guarded } from './guarded.ts';
import type { Means } from './means.ts';

export interface Rooms {
  /** Finds out anew which pools there are, and what each has left. Errors: the storages'. */
  look(): Promise<void>;
  /** Finds out what one of them has left; what can't be found out stays as it was. */
  measure(pool: string): Promise<void>;
  /** Whether its volumes have an end: a file grows by itself. */
  has(pool: string): boolean;
  /** Undefined while it is not known. */
  of(pool: string): PoolFacts | undefined;
  /** Whether a disk lacks what its pool doesn't have. One that was given a part may want nothing more for the moment. */
  isShort(disk: Pick<Guarded, 'lacks' | 'disk'>): boolean;
}

export function createRooms({ storages, life }: Pick<Means, 'storages' | 'life'>): Rooms {
  let pools: ReadonlyMap<string, Pool> = new Map();
  const rooms = new Map<string, PoolFacts>();

  async function measure(name: string): Promise<void> {
    const facts = await pools
      .get(name)
      ?.facts(life)
      .catch(() => undefined);
    if (facts) rooms.set(name, facts);
  }

  return {
    async look() {
      const all = (await Promise.all(storages.map((storage) => storage.pools(life)))).flat();
      pools = new Map(all.filter(({ source }) => source === 'block').map((pool) => [pool.name, pool]));
      await Promise.all([...pools.keys()].map(measure));
    },
    measure,
    has: (pool) => pools.has(pool),
    of: (pool) => rooms.get(pool),
    isShort: ({ lacks, disk }) => lacks > 0n && lacks > (rooms.get(disk.pool)?.free ?? 0n),
  };
}
