// Pools: where volumes live.
import type { ServiceImpl } from '@connectrpc/connect';
import { Cluster } from '../../capabilities/cluster.ts';
import { Disks } from '../../capabilities/disks.ts';
import { type Pool, type PoolFacts, PoolGrown, Storage } from '../../capabilities/storage.ts';
import { missingPool } from '../../disks/world.ts';
import { coreErrors } from '../../errors.ts';
import type { Call } from '../../kernel/verb.ts';
import { callOf } from '../calls.ts';
import type { PoolService } from '../gen/sltv/v1/pool_pb.ts';
import { named, toPool } from '../messages.ts';
import { type Daemon, mustHave } from './daemon.ts';

export function poolHandlers(daemon: Daemon): ServiceImpl<typeof PoolService> {
  const shown = (pools: readonly Pool[], call: Call) => describe(daemon, pools, call);
  const one = async (pool: Pool, call: Call) => {
    const [described] = await shown([pool], call);
    // `describe` gives one for each; a pool that is not described is not sent.
    return described === undefined ? {} : { pool: described };
  };
  return {
    listPools: async (_request, context) => {
      const call = callOf(context);
      return { pools: await shown(await poolsOf(daemon, call.signal), call) };
    },

    getPool: async ({ name }, context) => {
      const call = callOf(context);
      return await one(await findPool(daemon, named(name, 'name'), call.signal), call);
    },

    createPool: async ({ name, devices, kind }, context) => {
      const call = callOf(context);
      const pool = { name: named(name, 'name'), devices: someDevices(devices) };
      if ((await poolsOf(daemon, call.signal)).some((each) => each.name === pool.name)) {
        throw coreErrors('pool-exists', `there is already a pool ${pool.name}`, {
          hint: `sltv pool show ${pool.name}; sltv pool extend ${pool.name} /dev/… adds to it`,
        });
      }
      return await one(await maker(daemon, kind || 'lvm')(pool, call.signal), call);
    },

    extendPool: async ({ name, devices }, context) => {
      const call = callOf(context);
      const pool = await findPool(daemon, named(name, 'name'), call.signal);
      if (pool.grow === undefined) {
        throw cannot(pool, 'takes no devices');
      }
      await pool.grow(someDevices(devices), call.signal);
      daemon.booted.emit(PoolGrown, { pool: pool.name });
      return await one(pool, call);
    },

    sharePool: async ({ name }, context) => {
      const call = callOf(context);
      const pool = await findPool(daemon, named(name, 'name'), call.signal);
      if (daemon.booted.provided(Cluster) === undefined) {
        throw coreErrors('no-cluster', 'this daemon is in no cluster, so there is nobody to share a pool with', {
          hint: 'a cluster is made by a plugin in sltv.config.ts: docs/clustering.md',
        });
      }
      if (pool.share === undefined) throw cannot(pool, 'can be had by one host only');
      await pool.share(call.signal);
      return await one(await findPool(daemon, pool.name, call.signal), call);
    },

    takePool: async ({ name }, context) => {
      const call = callOf(context);
      const wanted = named(name, 'name');
      await mustHave(daemon, Disks, 'keeps disks').takePool({ name: wanted }, call);
      return await one(await findPool(daemon, wanted, call.signal), call);
    },

    acceptPool: async ({ name }, context) => {
      const call = callOf(context);
      const pool = await findPool(daemon, named(name, 'name'), call.signal);
      if (pool.accept === undefined) throw cannot(pool, 'is never written without its lock');
      await pool.accept(call.signal);
      return await one(pool, call);
    },

    shellPool: async ({ name, words }, context) => {
      const { signal } = callOf(context);
      const pool = await findPool(daemon, named(name, 'name'), signal);
      if (pool.shell === undefined) throw cannot(pool, 'has no tools of its own');
      const { code, stdout, stderr } = await pool.shell(words, signal);
      return { code, stdout, stderr };
    },
  };
}

const cannot = ({ name, kind }: Pool, why: string) =>
  coreErrors('unsupported', `${name} is a pool of kind ${kind}, which ${why}`, {
    hint: 'sltv pool list shows which pools are lvm',
  });

/** All pools of this host, in the order of the config. */
export async function poolsOf(daemon: Daemon, signal: AbortSignal, wanted?: string): Promise<readonly Pool[]> {
  return (await Promise.all(daemon.booted.all(Storage).map((storage) => storage.pools(signal, wanted)))).flat();
}

/** A pool that can't be read must not hide the others: its error stands where its facts would. */
export async function factsOf(pool: Pool, signal: AbortSignal): Promise<PoolFacts | Error> {
  try {
    return await pool.facts(signal);
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function describe(daemon: Daemon, pools: readonly Pool[], call: Call) {
  const disks = (await daemon.booted.provided(Disks)?.list({}, call)) ?? [];
  return await Promise.all(pools.map(async (pool) => toPool(pool, await factsOf(pool, call.signal), disks)));
}

async function findPool(daemon: Daemon, name: string, signal: AbortSignal): Promise<Pool> {
  const pools = await poolsOf(daemon, signal, name);
  const pool = pools.find((candidate) => candidate.name === name);
  if (pool) return pool;
  throw missingPool(daemon.booted.all(Storage), name, pools);
}

function maker(daemon: Daemon, kind: string): NonNullable<Storage['createPool']> {
  const makers = daemon.booted.all(Storage).filter((storage) => storage.createPool !== undefined);
  const storage = makers.find((candidate) => candidate.kind === kind);
  if (storage?.createPool) return storage.createPool.bind(storage);
  throw coreErrors('no-provider', `no plugin of this daemon makes pools of kind ${kind}`, {
    hint:
      makers.length > 0
        ? `kinds that it makes: ${makers.map((each) => each.kind).join(', ')}`
        : 'none of its plugins makes pools: add lvm() to plugins in sltv.config.ts',
  });
}

function someDevices(devices: readonly string[]): readonly string[] {
  if (devices.length > 0 && !devices.includes('')) return devices;
  throw coreErrors('input', 'this request names no device', { hint: 'name the block devices, such as /dev/sdb' });
}
