// A host in memory with one thin disk in a running VM, and a keeper over it.

import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { Disks } from '../../../core/capabilities/disks.ts';
import type { Hypervisor } from '../../../core/capabilities/hypervisor.ts';
import { createLog } from '../../../core/log.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { ahead } from '../../../plugins/autoextend/ahead.ts';
import { createKeeper, type Keeper } from '../../../plugins/autoextend/keeper.ts';
import type { Policy } from '../../../plugins/autoextend/policy.ts';
import { createRescue } from '../../../plugins/autoextend/rescue.ts';
import { createShortages } from '../../../plugins/autoextend/shortage.ts';
import { call, type Daemon, type House, makeHouse } from '../../core/disks/house.ts';

export interface Guests extends AsyncDisposable {
  readonly house: House;
  readonly daemon: Daemon;
  readonly keeper: Keeper;
  readonly rescue: () => Promise<void>;
  readonly hypervisor: Hypervisor;
  readonly vm: House['vms']['on'];
  /** Milliseconds; the tests move it. */
  readonly clock: { now: number };
  /** How often it was asked to be tried again soon. */
  readonly tries: { again: number };
  /** Messages of the log. */
  readonly said: readonly string[];
  /** Physical size of the disk, bytes. */
  size(): bigint;
}

export interface GuestOptions {
  readonly policy?: Policy;
  /** Bytes in the pool. */
  readonly room?: bigint;
  /** Put over the hypervisor's own. */
  readonly hypervisor?: Partial<Hypervisor>;
  /** Put over core's own. */
  readonly disks?: Partial<Disks>;
  readonly arms?: boolean;
}

export async function makeGuests(options: GuestOptions = {}): Promise<Guests> {
  const { policy, room = 64n * GiB, hypervisor = {}, disks = {}, arms = true } = options;
  const house = await makeHouse({ size: room, source: 'block' });
  const daemon = house.daemon();
  const vm = house.vms.on;
  const own = daemon.world.hypervisor;
  if (own === undefined) throw new Error('the house has a hypervisor');
  const volume = () => house.pools.pools.get('mem')?.get('img');
  vm.physicalOf = () => volume()?.size;
  await daemon.disks.create({ name: 'img', mode: 'thin', virtualSize: GiB, size: 64n * MiB }, call());
  await daemon.disks.attach({ disk: 'img', vm: 'web', target: 'vda', readOnly: false }, call());
  const said: string[] = [];
  const log = createLog({ level: 'info', format: 'json', write: (line) => said.push(JSON.parse(line).message) });
  const clock = { now: 0 };
  const tries = { again: 0 };
  const life = new AbortController();
  const standIn = ahead();
  const means = {
    disks: { ...daemon.disks, ...disks },
    storages: daemon.world.storages,
    hypervisor: { ...own, ...hypervisor },
    policy: policy ?? standIn,
    standIn,
    arms,
    shortages: createShortages(log, daemon.world.emit),
    log,
    emit: daemon.world.emit,
    again: () => {
      tries.again += 1;
    },
    life: life.signal,
    now: () => clock.now++,
  };
  const bare = createKeeper(means);
  // Nobody waits for what is armed; in memory it is there a turn of the loop later.
  const afterArming = async (work: Promise<void>) => {
    await work;
    await turnOfTheLoop();
  };
  const keeper: Keeper = {
    ...bare,
    look: () => afterArming(bare.look()),
    crossed: (event) => afterArming(bare.crossed(event)),
  };
  const rescue = createRescue({ ...means, keeper });
  return {
    ...{ house, daemon, keeper, rescue, vm, clock, tries, said },
    hypervisor: own,
    size: () => volume()?.size ?? 0n,
    async [Symbol.asyncDispose]() {
      life.abort();
      await house[Symbol.asyncDispose]();
    },
  };
}
