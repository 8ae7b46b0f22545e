// What there is to see of it: rows for `sltv autoextend status` and `plan`, and what `sltv disk show` adds.
import { type Disk, formatSize, type Values } from 'sltv';
import { type Guarded, secondsToFull } from './guarded.ts';
import type { Decision } from './policy.ts';

const fill = { type: 'size', about: 'how far its image is written' } as const;
const facts = {
  fill,
  rate: { type: 'size', about: 'how fast that grows, in a second' },
  armedAt: { type: 'size', about: 'the offset whose crossing extends it', optional: true },
  free: { type: 'size', about: 'what its guest can still write before it is full' },
  fullIn: { type: 'duration', about: 'when it would be full at its present speed', optional: true },
  extended: { type: 'time', about: 'when it was last extended by itself', optional: true },
  took: { type: 'duration', about: 'how long that took', optional: true },
  held: { type: 'text', about: 'why it does not have what it should have', optional: true },
} as const;

/** What `disk show` adds. */
export const factFields = facts;

export const statusFields = {
  disk: { type: 'text', about: 'pool and name' },
  vm: { type: 'text', about: 'the VM that has it' },
  target: { type: 'text', about: 'where in that VM' },
  size: { type: 'size', about: 'physical size' },
  ...facts,
} as const;

export const planFields = {
  disk: statusFields.disk,
  size: statusFields.size,
  fill,
  extendTo: { type: 'size', about: 'what it would grow to now', optional: true },
  armAt: { type: 'size', about: 'where the next crossing would be told', optional: true },
  because: { type: 'text', about: 'why' },
} as const;

export function factsOf(guarded: Guarded, now: number): Values<typeof facts> {
  const last = guarded.history.at(-1);
  const seconds = secondsToFull(guarded, now);
  return {
    fill: guarded.fill,
    rate: BigInt(Math.round(guarded.pace.rate(now))),
    armedAt: guarded.armed.offset,
    free: guarded.physical > guarded.fill ? guarded.physical - guarded.fill : 0n,
    fullIn: Number.isFinite(seconds) ? Math.round(seconds * 1000) : undefined,
    extended: last?.at,
    took: last && Math.round(last.milliseconds),
    held: guarded.stopped === 'io-error' ? 'its guest stands still' : guarded.held?.because,
  };
}

export const statusOf = (guarded: Guarded, now: number): Values<typeof statusFields> => ({
  disk: nameOf(guarded.disk),
  vm: guarded.disk.owner?.vmName || guarded.vm,
  target: guarded.target,
  size: guarded.physical,
  ...factsOf(guarded, now),
});

export function planOf(
  guarded: Guarded,
  { extendTo, armAt, fault }: Decision,
  isOff: boolean,
): Values<typeof planFields> {
  const { disk, physical, fill } = guarded;
  const known = { disk: nameOf(disk), size: physical, fill };
  if (isOff) return { ...known, because: 'it is switched off' };
  const wish =
    extendTo === undefined ? nothingToDo(guarded, armAt) : `${formatSize(physical - fill)} free is too little`;
  return { ...known, extendTo, armAt, because: fault === undefined ? wish : `${wish} (the policy: ${fault})` };
}

const nothingToDo = ({ physical, fill }: Guarded, armAt: bigint | undefined): string =>
  armAt === undefined ? 'its whole image fits' : `${formatSize(physical - fill)} free is enough`;

const nameOf = ({ pool, name }: Disk): string => `${pool}/${name}`;
