// What new disks may not take from a pool. Decided inside its turn: two creations at once can't both pass.
import type { Format, Pool, Writer } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import { formatSize, roundUp } from '../units.ts';
import { readEntry } from './entry.ts';
import type { World } from './world.ts';

export interface Limits {
  /** Bytes, or a part of the pool: what is kept for thin disks that grow. */
  readonly reserve: bigint | `${number}%`;
  /** How many times its size a pool's disks may promise to their guests; undefined: any. */
  readonly overcommit: number | undefined;
}

interface NewDisk {
  readonly name: string;
  readonly format: Format;
  /** Bytes. */
  readonly size: bigint;
  readonly virtualSize: bigint;
}

/** Refuses a disk for which a pool has no room beyond what it keeps back. Errors: `core/pool-reserve`, `core/overcommit`. */
export async function mayCreate(world: World, pool: Pool, writer: Writer, wanted: NewDisk): Promise<void> {
  await mayPromise(world, pool, writer, wanted);
  const { size: poolSize, free, extent } = await pool.facts(world.life);
  const needed = roundUp(wanted.size, extent);
  const kept = reserveOf(poolSize, world.limits);
  // What the pool doesn't have at all it refuses itself.
  if (needed > free || free - needed >= kept) return;
  if (wanted.format !== 'qcow2' && !(await hasThinDisk(writer))) return;
  const most = free - kept;
  const ways = [
    most < extent ? 'delete disks that nobody needs' : `give it at most ${formatSize(most)}`,
    ...(pool.grow ? [`sltv pool extend ${pool.name} /dev/…`] : []),
    'or lower reserve in sltv.config.ts',
  ];
  throw coreErrors(
    'pool-reserve',
    `${wanted.name} of ${formatSize(needed)} would leave ${formatSize(free - needed)} free in pool ${pool.name}, which keeps ${formatSize(kept)} for thin disks that grow`,
    { hint: ways.join('; ') },
  );
}

/** Refuses a virtual size by which a pool's disks would promise their guests too much. Errors: `core/overcommit`. */
export async function mayPromise(
  { limits, life }: World,
  pool: Pool,
  writer: Writer,
  wanted: Pick<NewDisk, 'name' | 'virtualSize'>,
): Promise<void> {
  if (limits.overcommit === undefined) return;
  const others = (await entriesOf(writer)).filter(({ volume }) => volume.name !== wanted.name);
  const promised = others.reduce((sum, { virtualSize }) => sum + virtualSize, wanted.virtualSize);
  const { size } = await pool.facts(life);
  const most = timesOf(size, limits.overcommit);
  if (promised <= most) return;
  const ways = [
    'give it less',
    ...(pool.grow ? [`sltv pool extend ${pool.name} /dev/…`] : []),
    'or raise overcommit in sltv.config.ts',
  ];
  throw coreErrors(
    'overcommit',
    `with ${wanted.name} of ${formatSize(wanted.virtualSize)} the disks of pool ${pool.name} would promise their guests ${formatSize(promised)}, and ${formatSize(most)} are the most: ${limits.overcommit} times its size`,
    { hint: ways.join('; ') },
  );
}

/** Bytes that a pool of that size keeps back. */
export function reserveOf(poolSize: bigint, { reserve }: Limits): bigint {
  return typeof reserve === 'bigint' ? reserve : timesOf(poolSize, Number(reserve.slice(0, -1)) / 100);
}

/** To a millionth; bytes stay whole numbers, which floats of that size are not. */
const timesOf = (bytes: bigint, factor: number): bigint => (bytes * BigInt(Math.round(factor * 1e6))) / 1_000_000n;

const hasThinDisk = async (writer: Writer) => (await entriesOf(writer)).some(({ format }) => format === 'qcow2');

const entriesOf = async (writer: Writer) => (await writer.volumes()).flatMap((volume) => readEntry(volume) ?? []);
