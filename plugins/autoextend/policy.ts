// When a thin disk's volume grows, and by how much: a function of what is known of the disk.
//
// You write one when the shipped ones, `ahead` and `keepFree`, don't suit, and give it to `autoextend({ policy })`. It is asked
// whenever something is learnt of a disk in a running VM, for many disks and in the middle of an extension, so it must answer at
// once: no promise, no I/O, no memory of its own. Three rules bind what it says:
//
// 1. `extendTo` says that the volume must grow now, and how large it becomes. Leave it out, and nothing happens but arming.
// 2. `armAt` is the offset whose crossing shall be the next occasion. It lies below the size that the volume then has, else
//    the guest is full before anybody hears of it; and above what is written already, else it is late before it begins.
// 3. Sizes only grow. What is asked for is rounded up to the pool's extent, and kept below what the whole image can need.
//
// A policy that throws or breaks a rule is not followed: `ahead()` serves in its place, and the log says so.
import { larger, roundUp } from 'sltv';

/** What is known of a disk, when the policy is asked. Sizes are bytes. */
export interface Sample {
  readonly disk: { readonly pool: string; readonly name: string };
  /** Of the volume. */
  readonly physical: bigint;
  /** What the guest sees. */
  readonly virtual: bigint;
  /** How far the image is written; a discard never lowers it. */
  readonly fill: bigint;
  /** Bytes a second by which that grew lately: the highest rate of the last minutes, fading. */
  readonly rate: number;
  /** What the pool has left, and the unit that it gives. */
  readonly poolFree: bigint;
  readonly extent: bigint;
  /** Milliseconds that an extension takes here, its wait for the pool included: the longest of the last ones. */
  readonly extensionTime: number;
  /** What `sltv autoextend set --step` says for this disk. */
  readonly step: bigint | undefined;
  /** The last extensions by this daemon, the latest last. */
  readonly history: readonly Extension[];
}

export interface Extension {
  readonly at: Date;
  readonly from: bigint;
  readonly to: bigint;
  /** From the decision to a volume that the guest can fill. */
  readonly milliseconds: number;
}

/** What shall be. Sizes are bytes. */
export interface Wish {
  readonly extendTo?: bigint | undefined;
  readonly armAt: bigint;
}

export type Policy = (sample: Sample) => Wish;

/** A wish that can be carried out. */
export interface Decision {
  /** A multiple of the extent, above what there is; undefined when the volume stays as it is. */
  readonly extendTo: bigint | undefined;
  /** Undefined when the volume can't get too small any more. */
  readonly armAt: bigint | undefined;
  /** Why the policy's own wish does not count. */
  readonly fault: string | undefined;
}

/**
 * Asks the policy, holds it to the rules, and makes its wish a size of this pool. `fullSize`: what the whole image can need,
 * bytes; undefined where nobody knows, or where it has no limit.
 */
export function decide(policy: Policy, standIn: Policy, sample: Sample, fullSize: bigint | undefined): Decision {
  const answer = answerOf(policy, sample);
  const fault = typeof answer === 'string' ? answer : undefined;
  const wish = typeof answer === 'string' ? standIn(sample) : answer;
  const ceiling = fullSize === undefined ? undefined : roundUp(fullSize, sample.extent);
  if (ceiling !== undefined && sample.physical >= ceiling) return { extendTo: undefined, armAt: undefined, fault };
  const wanted = wish.extendTo === undefined ? undefined : roundUp(wish.extendTo, sample.extent);
  const within = wanted !== undefined && ceiling !== undefined && wanted > ceiling ? ceiling : wanted;
  const extendTo = within !== undefined && within > sample.physical ? within : undefined;
  const isLast = ceiling !== undefined && extendTo === ceiling;
  return { extendTo, armAt: isLast ? undefined : larger(wish.armAt, 0n), fault };
}

/** The policy's wish, or what is wrong with it. */
function answerOf(policy: Policy, sample: Sample): Wish | string {
  let wish: unknown;
  try {
    wish = policy(sample);
  } catch (error) {
    return `it failed: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (typeof wish !== 'object' || wish === null) return `it answered ${String(wish)}, not { extendTo, armAt }`;
  if (wish instanceof Promise) return 'it answered with a promise; it has to answer at once';
  const { extendTo, armAt } = wish as { extendTo?: unknown; armAt?: unknown };
  if (typeof armAt !== 'bigint') return `its armAt is ${String(armAt)}, not a bigint of bytes`;
  if (extendTo !== undefined && typeof extendTo !== 'bigint') {
    return `its extendTo is ${String(extendTo)}, not a bigint of bytes`;
  }
  if (extendTo !== undefined && extendTo < sample.physical) {
    return `it would shrink the volume from ${sample.physical} to ${extendTo} bytes`;
  }
  const size = extendTo ?? sample.physical;
  if (armAt >= size) return `its armAt ${armAt} is not below the size ${size}, so nobody would hear of a full disk`;
  if (extendTo === undefined && armAt <= sample.fill && sample.fill > 0n) {
    return `its armAt ${armAt} is passed already, and it extends nothing`;
  }
  return { extendTo, armAt };
}
