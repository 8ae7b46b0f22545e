// A node that was fenced and lives: others may have its disks by now, and its guests would write into them.
import { dirname } from 'node:path';
import type { Vm } from '../capabilities/hypervisor.ts';
import { isAt } from '../capabilities/storage.ts';
import { fencedLives } from '../disks/permission.ts';
import { isHere } from '../disks/world.ts';
import { asSltvError } from '../errors.ts';
import { isSame, type NodesWorld, type SharedPool, self, sharedPools } from './world.ts';

/** Says it loudly, and ends guests whose disks are not this node's any more, or says which they are. */
export async function faceOwnFence(world: NodesWorld): Promise<void> {
  const pools = await sharedPools(world, world.life);
  if (!(await wasFenced(world, pools))) return world.alarms.clear('fenced');
  world.alarms.raise(
    'fenced',
    `this node, ${world.node.id}, was fenced and lives: it writes nothing more; reboot this host`,
  );
  for (const { vm, disks } of await guestsOnOthersDisks(world, pools)) await end(world, vm, disks);
}

/** A pool says so, or the cluster does; one that is out of reach says nothing. */
async function wasFenced(world: NodesWorld, pools: readonly SharedPool[]): Promise<boolean> {
  const own = self(world);
  if (pools.some((pool) => fencedLives(pool).some((place) => isSame(place, own)))) return true;
  const signal = AbortSignal.any([world.life, AbortSignal.timeout(5_000)]);
  return (await world.cluster?.isOver(own, signal).catch(() => false)) ?? false;
}

async function end(world: NodesWorld, vm: Vm, disks: readonly string[]): Promise<void> {
  const { hypervisor, whenFenced, alarms, log, life } = world;
  const key = `guest ${vm.uuid}`;
  const about = `${vm.name} runs here with ${disks.join(', ')}, which others may have since this node was fenced`;
  if (whenFenced === 'alarm' || !hypervisor?.destroy) {
    alarms.raise(key, `${about}: virsh destroy ${vm.name}`);
    return;
  }
  try {
    await hypervisor.destroy(vm.uuid, life);
    log.error('a guest was ended: others may have its disks since this node was fenced', { vm: vm.name, disks });
    alarms.clear(key);
  } catch (error) {
    alarms.raise(key, `${about}, and could not be ended: ${asSltvError(error).message}; virsh destroy ${vm.name}`);
  }
}

interface Endangered {
  readonly vm: Vm;
  /** Paths. */
  readonly disks: readonly string[];
}

async function guestsOnOthersDisks(world: NodesWorld, pools: readonly SharedPool[]): Promise<readonly Endangered[]> {
  const { hypervisor, life } = world;
  const running = ((await hypervisor?.vms(life)) ?? []).filter(({ state }) => state !== 'off');
  const looked = await Promise.all(
    running.map(async (vm) => {
      const live = ((await hypervisor?.disks(vm.uuid, life)) ?? []).filter((disk) => disk.live);
      const disks = live.flatMap(({ path }) => (path !== undefined && isOthers(world, pools, path) ? [path] : []));
      return { vm, disks };
    }),
  );
  return looked.filter(({ disks }) => disks.length > 0);
}

/** A disk that does not name this node any more; or one that is gone from among the pool's, and may be another by now. */
function isOthers(world: NodesWorld, pools: readonly SharedPool[], path: string): boolean {
  const entry = pools.flatMap(({ entries }) => entries).find(({ volume }) => isAt(volume, path));
  if (entry) return !isHere(world, entry);
  return pools.some(({ entries }) => entries.some(({ volume }) => dirname(volume.path) === dirname(path)));
}
