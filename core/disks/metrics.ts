// Pools and disks as a source of metrics.
import { gauge, type Metric, type MetricSource, type Sample } from '../capabilities/metrics.ts';
import type { Pool, PoolFacts } from '../capabilities/storage.ts';
import { asSltvError } from '../errors.ts';
import type { Entry } from './entry.ts';
import { reserveOf } from './limits.ts';
import { withLateNotes } from './show.ts';
import type { World } from './world.ts';

/** Told from what the storages have in memory: pools as they were looked for last, each as of its last commit. */
export function metricsOf(world: World): MetricSource {
  return {
    name: 'disks',
    async collect(signal) {
      const looks = await Promise.all((await knownPools(world, signal)).map((pool) => lookAt(world, pool, signal)));
      const answered = looks.flatMap(({ sight }) => sight ?? []);
      return [
        gauge(
          'sltv_pool_up',
          'whether the pool can be read',
          looks.map(({ pool, sight }) => ({ value: Number(sight !== undefined), labels: { pool } })),
        ),
        ...poolMetrics(world, answered),
        ...diskMetrics(answered.flatMap(({ entries }) => entries)),
      ];
    },
  };
}

/** Of several by one name the first, which is the one that the name means. */
async function knownPools({ storages }: World, signal: AbortSignal): Promise<readonly Pool[]> {
  const pools = (await Promise.all(storages.map((storage) => storage.seen?.() ?? storage.pools(signal)))).flat();
  return pools.filter(({ name }, index) => pools.findIndex((pool) => pool.name === name) === index);
}

interface Sight {
  readonly pool: string;
  readonly facts: PoolFacts;
  readonly entries: readonly Entry[];
}

/** Without a sight when the pool can't be read: the others can all the same. */
async function lookAt(
  world: World,
  from: Pool,
  signal: AbortSignal,
): Promise<{ readonly pool: string; readonly sight?: Sight }> {
  const { name: pool } = from;
  try {
    const [facts, volumes] = await Promise.all([from.facts(signal), from.volumes(signal)]);
    const entries = volumes.flatMap((volume) => world.known.entryOf(volume) ?? []);
    return { pool, sight: { pool, facts, entries: entries.map((entry) => withLateNotes(world, entry)) } };
  } catch (error) {
    world.log.debug('a pool can’t be measured', { pool, error: asSltvError(error) });
    return { pool };
  }
}

function poolMetrics({ limits }: World, sights: readonly Sight[]): readonly Metric[] {
  const each = (read: (sight: Sight) => number | bigint | undefined): readonly Sample[] =>
    sights.flatMap((sight) => {
      const value = read(sight);
      return value === undefined ? [] : [{ value, labels: { pool: sight.pool } }];
    });
  return [
    gauge(
      'sltv_pool_size_bytes',
      'what the pool can hold',
      each(({ facts }) => facts.size),
    ),
    gauge(
      'sltv_pool_free_bytes',
      'what the pool has left',
      each(({ facts }) => facts.free),
    ),
    gauge(
      'sltv_pool_reserve_bytes',
      'what new disks leave free in the pool, for thin disks that grow',
      each(({ facts }) => reserveOf(facts.size, limits)),
    ),
    gauge(
      'sltv_pool_disks',
      'disks in the pool',
      each(({ entries }) => entries.length),
    ),
    gauge('sltv_pool_virtual_bytes', "what the pool's disks promise to their guests, all together", each(promisedBy)),
    gauge(
      'sltv_pool_overcommit_ratio',
      "what the pool's disks promise to their guests, as a multiple of the pool's size",
      each((sight) => (sight.facts.size > 0n ? Number(promisedBy(sight)) / Number(sight.facts.size) : undefined)),
    ),
    gauge(
      'sltv_pool_metadata_size_bytes',
      "room for the pool's catalogue, where that can run out",
      each(({ facts }) => facts.metadata?.size),
    ),
    gauge(
      'sltv_pool_metadata_free_bytes',
      "what the pool's catalogue has left of its room",
      each(({ facts }) => facts.metadata?.free),
    ),
    gauge(
      'sltv_pool_writable',
      'whether this daemon may write to the pool',
      each(({ facts }) => Number(facts.readOnlyBecause === undefined)),
    ),
  ];
}

const promisedBy = ({ entries }: Sight): bigint => entries.reduce((sum, { virtualSize }) => sum + virtualSize, 0n);

function diskMetrics(entries: readonly Entry[]): readonly Metric[] {
  const each = (read: (entry: Entry) => bigint | undefined): readonly Sample[] =>
    entries.flatMap((entry) => {
      const value = read(entry);
      return value === undefined ? [] : [{ value, labels: { pool: entry.volume.pool, disk: entry.volume.name } }];
    });
  return [
    gauge(
      'sltv_disk_size_bytes',
      'physical size of the disk',
      each(({ volume }) => volume.size),
    ),
    gauge(
      'sltv_disk_virtual_bytes',
      'what the guest sees of the disk',
      each(({ virtualSize }) => virtualSize),
    ),
    gauge(
      'sltv_disk_written_bytes',
      'how far the image of a thin disk is known to be written, as kept with its volume',
      each(({ end }) => end),
    ),
  ];
}
