// What is known of one thin disk in one running VM.
import { type BlockStatistics, type Disk, larger, MiB } from 'sltv';
import { createPace, type Pace } from './pace.ts';
import type { Extension } from './policy.ts';

/** Sizes are bytes, moments milliseconds of a clock that only goes forward. */
export interface Guarded {
  readonly vm: string;
  readonly target: string;
  /** The disk behind the device, as the storage had it last. */
  disk: Disk;
  /** The device's source, as the hypervisor calls it. */
  path: string;
  /** Of the volume: the largest that anybody has told of. */
  physical: bigint;
  /** The highest offset that was ever seen written. */
  fill: bigint;
  /** Where the hypervisor will tell of the next crossing, undefined nowhere, and when that was so. */
  armed: { readonly offset: bigint | undefined; readonly asOf: number };
  /** Why its last arming failed, for who looks; undefined when it did not. */
  unarmed: string | undefined;
  stopped: BlockStatistics['stopped'];
  /** When its VM was last let go by us. */
  letGoAt: number;
  readonly pace: Pace;
  history: readonly Extension[];
  /** What the whole image can need, and for which virtual size and fill that was found out. */
  fullSize: { readonly bytes: bigint | undefined; readonly virtual: bigint; readonly fill: bigint } | undefined;
  /** Why it doesn't have what it should have; undefined when it has. */
  held: string | undefined;
  /** Bytes that its pool did not have when it last wanted them: until it gets some, or its pool has so many. */
  lacks: bigint;
  /** Whether another policy served at its last decision, because its own could not be followed. */
  isStoodIn: boolean;
}

export function guard(disk: Disk, { vm, target, path }: BlockStatistics): Guarded {
  return {
    vm,
    target,
    disk,
    path: path ?? disk.path,
    physical: disk.size,
    fill: disk.end ?? 0n,
    armed: { offset: undefined, asOf: Number.NEGATIVE_INFINITY },
    unarmed: undefined,
    stopped: undefined,
    letGoAt: Number.NEGATIVE_INFINITY,
    pace: createPace(),
    history: [],
    fullSize: undefined,
    held: undefined,
    lacks: 0n,
    isStoodIn: false,
  };
}

/** Takes over what a look found that began at `asOf`; what is known from later stays. */
export function observe(guarded: Guarded, disk: Disk, device: BlockStatistics, asOf: number): void {
  guarded.disk = disk;
  guarded.path = device.path ?? disk.path;
  // A VM that was let go since would be taken for one that stands still.
  if (asOf > guarded.letGoAt) guarded.stopped = device.stopped;
  guarded.physical = larger(guarded.physical, disk.size);
  // A threshold that was crossed or armed since would be believed to stand, and be missed.
  if (asOf > guarded.armed.asOf) guarded.armed = { offset: device.threshold, asOf };
  sawFill(guarded, device.allocation ?? 0n, asOf);
}

/** Its VM is about to run again. */
export function letGo(guarded: Guarded, now: number): void {
  guarded.stopped = undefined;
  guarded.letGoAt = now;
}

/** QEMU counts from 0 at every start: only what is beyond the known counts. */
export function sawFill(guarded: Guarded, fill: bigint, now: number): void {
  guarded.fill = larger(guarded.fill, fill);
  guarded.pace.saw(guarded.fill, now);
}

/** Seconds until the guest is full at its present speed; Infinity for one that writes nothing. */
export function secondsToFull({ physical, fill, pace }: Guarded, now: number): number {
  const rate = pace.rate(now);
  if (physical <= fill) return 0;
  return rate < 1 ? Number.POSITIVE_INFINITY : Number(physical - fill) / rate;
}

/** What a guest that stood still can go on with for a moment, bytes. */
const BREATH = 16n * MiB;

export const hasRoom = ({ physical, fill }: Guarded): boolean => physical - fill >= BREATH;

/** For the log. */
export const namesOf = ({ disk, vm }: Guarded) => ({ disk: `${disk.pool}/${disk.name}`, vm });
