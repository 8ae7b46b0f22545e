// Keeps every thin disk of a running VM ahead of its guest.
import {
  type BlockStatistics,
  type Disk,
  type Disks,
  fullSizeAtMost,
  type Hypervisor,
  type HypervisorEvent,
  type Log,
  larger,
  MiB,
  type Pool,
  type PoolFacts,
  SltvError,
  type Storage,
} from 'sltv';
import { createArms } from './arms.ts';
import { coalesce } from './coalesce.ts';
import { type Guarded, guard, hasRoom, observe, sawFill, secondsToFull } from './guarded.ts';
import { createStopwatch } from './pace.ts';
import { type Decision, decide, type Policy, type Sample } from './policy.ts';
import { settingsOf } from './settings.ts';
import type { Shortages } from './shortage.ts';
import { sightingsOf } from './sight.ts';

export interface Means {
  readonly disks: Disks;
  readonly storages: readonly Storage[];
  readonly hypervisor: Hypervisor;
  readonly policy: Policy;
  /** What serves where the policy can't be followed. */
  readonly standIn: Policy;
  /** False: nothing is armed, and what looks find is all there is. */
  readonly arms: boolean;
  readonly shortages: Shortages;
  readonly log: Log;
  /** Fires when the daemon stops. */
  readonly life: AbortSignal;
  /** Milliseconds, on a clock that only goes forward. */
  readonly now: () => number;
}

export interface Keeper {
  /**
   * Looks at all guests and disks, and brings each disk to where it should be: extended, and its arming asked for. It repairs
   * whatever events missed. Never throws.
   */
  look(): Promise<void>;
  /** A threshold was crossed. Never throws. */
  crossed(event: Extract<HypervisorEvent, { type: 'threshold' }>): Promise<void>;
  /**
   * For a guest that stands still because its disk is full: true when it has room to go on. `anyway`: it had room and it did
   * not help. The limit of a full image doesn't hold here: whoever is full at it has snapshots that nobody knew of.
   */
  makeRoom(guarded: Guarded, anyway: boolean): Promise<boolean>;
  /** Every thin disk in a running VM. */
  guarded(): readonly Guarded[];
  /** What should be done about it now. */
  plan(guarded: Guarded): Decision;
}

export function createKeeper(means: Means): Keeper {
  const { disks, hypervisor, log, life, now, shortages } = means;
  const arm = createArms(hypervisor, life);
  const stopwatch = createStopwatch();
  const book = new Map<string, Guarded>();
  const settlers = new WeakMap<Guarded, () => Promise<void>>();
  let pools: ReadonlyMap<string, Pool> = new Map();
  const rooms = new Map<string, PoolFacts>();

  const look = coalesce(async () => {
    const asOf = now();
    try {
      const [statistics, thin] = await Promise.all([hypervisor.statistics(life), thinDisks()]);
      takeOver(await sightingsOf(statistics, thin), asOf);
    } catch (error) {
      if (!life.aborted) log.warn('the guests could not be looked at; it is tried again', { error });
      return;
    }
    await Promise.all([...book.values()].map(settle));
    shortages.endUnless([...book.values()].filter(isShort).map(({ disk }) => disk.pool));
    void learnFullSizes();
  });

  /** Those whose volume has an end that a guest can reach: a file grows by itself. */
  async function thinDisks(): Promise<readonly Disk[]> {
    const all = (await Promise.all(means.storages.map((storage) => storage.pools(life)))).flat();
    pools = new Map(all.filter(({ source }) => source === 'block').map((pool) => [pool.name, pool]));
    await Promise.all([...pools.keys()].map(measureRoom));
    const call = { signal: life, caller: { name: 'autoextend', role: 'admin' as const }, requestId: '' };
    return (await disks.list({}, call)).filter(({ pool, mode }) => mode === 'thin' && pools.has(pool));
  }

  /** One that was given a part may want nothing more for the moment, and its pool is as full as it was. */
  const isShort = ({ lacks, disk }: Guarded): boolean => lacks > 0n && lacks > (rooms.get(disk.pool)?.free ?? 0n);

  async function measureRoom(name: string): Promise<void> {
    const facts = await pools
      .get(name)
      ?.facts(life)
      .catch(() => undefined);
    if (facts) rooms.set(name, facts);
  }

  function takeOver(seen: readonly { disk: Disk; device: BlockStatistics }[], asOf: number): void {
    const gone = new Map(book);
    for (const { disk, device } of seen) {
      const key = keyOf(device.vm, device.target);
      const known = gone.get(key);
      gone.delete(key);
      const guarded = known?.disk.id === disk.id ? known : guard(disk, device);
      observe(guarded, disk, device, asOf);
      book.set(key, guarded);
    }
    for (const [key, { disk, fill }] of gone) {
      // Its next QEMU counts from 0 again.
      if (fill > 0n) disks.noteEnd(disk, fill);
      book.delete(key);
    }
  }

  /** Brings one disk to where it should be, after whatever is being done about it now. */
  function settle(guarded: Guarded): Promise<void> {
    const settler = settlers.get(guarded) ?? coalesce(() => settleNow(guarded));
    settlers.set(guarded, settler);
    return settler();
  }

  async function settleNow(guarded: Guarded): Promise<void> {
    if (life.aborted) return;
    if (settingsOf(guarded.disk).isOff) {
      guarded.held = 'switched off';
      guarded.lacks = 0n;
      return;
    }
    try {
      let decision = decideOn(guarded);
      const isToGrow = decision.extendTo !== undefined;
      let isServed = true;
      for (let turn = 0; isServed && decision.extendTo !== undefined && turn < IN_A_ROW; turn += 1) {
        isServed = await extend(guarded, decision.extendTo);
        decision = decideOn(guarded);
      }
      const { extendTo: lacking, armAt } = decision;
      // One that was not given enough is looked at when there is room, not at its guest's every byte.
      const isToArm = means.arms && lacking === undefined && armAt !== undefined;
      if (isToArm && (isToGrow || isWorthArming(guarded, armAt))) void armAgain(guarded, armAt);
      if (isServed) guarded.held = isShort(guarded) ? fullPool(guarded) : undefined;
    } catch (error) {
      hold(guarded, error);
    }
  }

  function hold(guarded: Guarded, error: unknown): void {
    if (life.aborted) return;
    const because = error instanceof Error ? error.message : String(error);
    if (guarded.held !== because) {
      log.warn('a disk is not kept ahead of its guest; it is tried again', { ...namesOf(guarded), error });
    }
    guarded.held = because;
  }

  /** Until it is known what the whole image can need, it is what images without snapshots do: room above that comes later. */
  const plan = (guarded: Guarded): Decision => {
    const { fullSize, disk } = guarded;
    const limit = fullSize === undefined ? fullSizeAtMost(disk.virtualSize) : fullSize.bytes;
    return decide(means.policy, means.standIn, sampleOf(guarded), limit);
  };

  function decideOn(guarded: Guarded): Decision {
    const decision = plan(guarded);
    const { fault } = decision;
    if (fault !== undefined && fault !== guarded.fault) {
      log.error('the policy is not followed; ahead() serves in its place', { ...namesOf(guarded), because: fault });
    }
    guarded.fault = fault;
    return decision;
  }

  function sampleOf({ disk, physical, fill, pace, history }: Guarded): Sample {
    const { free = 0n, extent = 1n } = rooms.get(disk.pool) ?? {};
    return {
      disk: { pool: disk.pool, name: disk.name },
      physical,
      virtual: disk.virtualSize,
      fill,
      rate: pace.rate(now()),
      poolFree: free,
      extent,
      extensionTime: stopwatch.longest(),
      step: settingsOf(disk).step,
      history,
    };
  }

  /**
   * Gives what is left where that is less; whether it was all. Errors: the pool's, but not that it is full: the disk is held
   * then.
   */
  async function extend(guarded: Guarded, to: bigint): Promise<boolean> {
    const { disk, physical: from } = guarded;
    const begun = now();
    disks.noteEnd(disk, guarded.fill);
    try {
      guarded.disk = await disks.grow(disk, { to, secondsToFull: secondsToFull(guarded, begun) }, life);
      guarded.physical = larger(guarded.physical, guarded.disk.size);
      const milliseconds = now() - begun;
      stopwatch.took(milliseconds);
      const extension = { at: new Date(), from, to: guarded.physical, milliseconds };
      guarded.history = [...guarded.history, extension].slice(-REMEMBERED);
    } catch (error) {
      if (!(error instanceof SltvError) || error.kind !== 'exhausted') throw error;
    }
    await measureRoom(disk.pool);
    guarded.lacks = larger(to - guarded.physical, 0n);
    if (guarded.lacks === 0n) return true;
    shortages.begin(disk.pool, { free: rooms.get(disk.pool)?.free ?? 0n, wanted: guarded.lacks });
    guarded.held = fullPool(guarded);
    return false;
  }

  /** Nobody waits for it: a hypervisor that is slow to answer must not keep the next crossing of this disk, or a look, waiting. */
  async function armAgain(guarded: Guarded, offset: bigint): Promise<void> {
    const begun = now();
    try {
      await arm(guarded.vm, guarded.target, offset);
      // One that was crossed before its arming was answered stands no more.
      if (guarded.armed.asOf <= begun) guarded.armed = { offset, asOf: now() };
      guarded.unarmed = undefined;
    } catch (error) {
      if (life.aborted) return;
      const because = error instanceof Error ? error.message : String(error);
      // Off, or without this device since the last look: nothing is left to be ahead of.
      const isOver = error instanceof SltvError && (error.kind === 'refused' || error.kind === 'not-found');
      if (guarded.unarmed !== because && !isOver) {
        log.warn('a threshold could not be armed; it is tried again', { ...namesOf(guarded), error });
      }
      guarded.unarmed = because;
    }
  }

  async function crossed({ vm, target, path, threshold, excess }: Parameters<Keeper['crossed']>[0]): Promise<void> {
    const guarded = book.get(keyOf(vm, target));
    // Started, attached or pivoted since the last look: what is there counts, not the event.
    if (guarded === undefined || guarded.path !== path) return await look();
    guarded.armed = { offset: undefined, asOf: now() };
    sawFill(guarded, threshold + excess, now());
    await settle(guarded);
  }

  async function makeRoom(guarded: Guarded, anyway: boolean): Promise<boolean> {
    if (settingsOf(guarded.disk).isOff) return false;
    await settle(guarded);
    if (hasRoom(guarded) && !anyway) return true;
    const { physical } = guarded;
    await extend(guarded, physical + larger(physical / 8n, 64n * MiB)).catch((error) => hold(guarded, error));
    await settle(guarded);
    return anyway ? guarded.physical > physical : hasRoom(guarded);
  }

  /** Off the way of any extension, and one after the other: each takes qemu-img a moment. */
  const learnFullSizes = coalesce(async () => {
    for (const guarded of [...book.values()].filter(isLimitUnknown)) {
      if (life.aborted) return;
      const { disk, fill } = guarded;
      try {
        guarded.fullSize = { bytes: await disks.fullSize(disk, life), virtual: disk.virtualSize, fill };
        await settle(guarded);
      } catch (error) {
        if (!life.aborted) log.debug('how large an image can get is not known', { ...namesOf(guarded), error });
      }
    }
  });

  return { look, crossed, makeRoom, guarded: () => [...book.values()], plan };
}

/** One that took longer than any before it has more wanted free at once. A policy that never has enough waits for a look. */
const IN_A_ROW = 3;
/** Extensions of a disk that are remembered. */
const REMEMBERED = 16;
/** An armed offset serves while it is not above the wanted one by more than this part of the headroom. */
const TOLERANCE = 8n;

/** Too early an event costs an answer that nothing is to be done; too late a one may cost a pause. */
function isWorthArming({ armed: { offset }, physical }: Guarded, wanted: bigint): boolean {
  return offset === undefined || offset - wanted > (physical - wanted) / TOLERANCE;
}

/** Also of one that has come to its limit and is written on: its image may have got snapshots. */
function isLimitUnknown({ fullSize, disk, physical, fill }: Guarded): boolean {
  if (fullSize === undefined || fullSize.virtual !== disk.virtualSize) return true;
  return fullSize.bytes !== undefined && physical >= fullSize.bytes && fill > fullSize.fill;
}

const fullPool = ({ disk }: Guarded): string => `pool ${disk.pool} is full`;
const keyOf = (vm: string, target: string): string => `${vm}/${target}`;
const namesOf = ({ disk, vm }: Guarded) => ({ disk: `${disk.pool}/${disk.name}`, vm });
