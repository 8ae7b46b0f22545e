// Brings one disk to where it should be: extended as its policy says, and its next threshold armed.
import { fullSizeAtMost, larger, Measured, SltvError } from 'sltv';
import { createArms } from './arms.ts';
import { coalesce } from './coalesce.ts';
import { type Guarded, namesOf, secondsToFull } from './guarded.ts';
import type { Means } from './means.ts';
import { ExtensionDuration, RoomLeft } from './metrics.ts';
import { createStopwatch } from './pace.ts';
import { type Decision, decide, type Sample } from './policy.ts';
import type { Rooms } from './rooms.ts';
import { settingsOf } from './settings.ts';

export interface Settling {
  /** Brings it there, after whatever is being done about it now. Never throws: what keeps it back is its `held`. */
  settle(guarded: Guarded): Promise<void>;
  /** Extends it whatever the policy says, by what is left where that is less. Never throws. */
  extendBy(guarded: Guarded, bytes: bigint): Promise<void>;
  /** What should be done about it now. */
  plan(guarded: Guarded): Decision;
}

export function createSettling(means: Means, rooms: Rooms): Settling {
  const { disks, hypervisor, log, life, now, shortages } = means;
  const arm = createArms(hypervisor, life);
  const stopwatch = createStopwatch();
  const settlers = new WeakMap<Guarded, () => Promise<void>>();

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
      // Not before: the commit that it may come to has the pool for a while, and the guest has most room now.
      if (isToGrow) disks.noteEnd(guarded.disk, guarded.fill);
      if (isServed) guarded.held = rooms.isShort(guarded) ? fullPool(guarded) : undefined;
    } catch (error) {
      hold(guarded, error);
    }
  }

  function decideOn(guarded: Guarded): Decision {
    const decision = plan(guarded);
    const { fault } = decision;
    // Once until it is followed again, whatever numbers are in the sentence.
    if (fault !== undefined && !guarded.isStoodIn) {
      log.error('the policy is not followed; ahead() serves in its place', { ...namesOf(guarded), because: fault });
    }
    guarded.isStoodIn = fault !== undefined;
    return decision;
  }

  /** Until it is known what the whole image can need, it is what images without snapshots do: room above that comes later. */
  function plan(guarded: Guarded): Decision {
    const { fullSize, disk } = guarded;
    const limit = fullSize === undefined ? fullSizeAtMost(disk.virtualSize) : fullSize.bytes;
    return decide(means.policy, means.standIn, sampleOf(guarded), limit);
  }

  function sampleOf({ disk, physical, fill, pace, history }: Guarded): Sample {
    const { free = 0n, extent = 1n } = rooms.of(disk.pool) ?? {};
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
    try {
      guarded.disk = await disks.grow(disk, { to, secondsToFull: secondsToFull(guarded, begun) }, life);
      guarded.physical = larger(guarded.physical, guarded.disk.size);
      const milliseconds = now() - begun;
      stopwatch.took(milliseconds);
      const extension = { at: new Date(), from, to: guarded.physical, milliseconds };
      guarded.history = [...guarded.history, extension].slice(-REMEMBERED);
      means.emit(Measured, { of: ExtensionDuration, value: milliseconds / 1000 });
      means.emit(Measured, { of: RoomLeft, value: Number(larger(from - guarded.fill, 0n)) });
    } catch (error) {
      if (!(error instanceof SltvError) || error.kind !== 'exhausted') throw error;
    }
    await rooms.measure(disk.pool);
    guarded.lacks = larger(to - guarded.physical, 0n);
    if (guarded.lacks === 0n) return true;
    shortages.begin(disk.pool, { free: rooms.of(disk.pool)?.free ?? 0n, wanted: guarded.lacks });
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
      const because = sentenceOf(error);
      // Off, or without this device since the last look: nothing is left to be ahead of.
      const isOver = error instanceof SltvError && (error.kind === 'refused' || error.kind === 'not-found');
      if (guarded.unarmed !== because && !isOver) {
        log.warn('a threshold could not be armed; it is tried again', { ...namesOf(guarded), error });
      }
      guarded.unarmed = because;
      if (!isOver) means.again();
    }
  }

  function hold(guarded: Guarded, error: unknown): void {
    if (life.aborted) return;
    const because = sentenceOf(error);
    if (guarded.held !== because) {
      log.warn('a disk is not kept ahead of its guest; it is tried again', { ...namesOf(guarded), error });
    }
    guarded.held = because;
    means.again();
  }

  return {
    settle(guarded) {
      const settler = settlers.get(guarded) ?? coalesce(() => settleNow(guarded));
      settlers.set(guarded, settler);
      return settler();
    },
    async extendBy(guarded, bytes) {
      await extend(guarded, guarded.physical + bytes).catch((error) => hold(guarded, error));
    },
    plan,
  };
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

const fullPool = ({ disk }: Guarded): string => `pool ${disk.pool} is full`;
const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
