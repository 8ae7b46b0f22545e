// What there is to see of it: rows for `sltv autoextend status` and `plan`, and what `sltv disk show` adds.
import { type Disk, formatSize, larger, type Values } from 'sltv';
import { type Guarded, secondsToFull } from './guarded.ts';
import type { Decision } from './policy.ts';

const written = { type: 'size', about: 'how far its image is written' } as const;

/** What `disk show` adds to what the storage says. */
export const factFields = {
  written,
  perSecond: { type: 'size', about: 'how fast that grew of late' },
  free: { type: 'size', about: 'what its guest can still write before it is full' },
  fullIn: { type: 'duration', about: 'when it would be full at that speed', optional: true },
  armedAt: { type: 'size', about: 'the offset whose crossing extends it', optional: true },
  took: { type: 'duration', about: 'how long its last extension took', optional: true },
  held: { type: 'text', about: 'why it does not have what it should have', optional: true },
} as const;

export const statusFields = {
  disk: { type: 'text', about: 'pool and name' },
  vm: { type: 'text', about: 'the VM that has it' },
  target: { type: 'text', about: 'where in that VM' },
  size: { type: 'size', about: 'physical size' },
  ...factFields,
  extended: { type: 'time', about: 'when it was last extended by itself', optional: true },
} as const;

export const planFields = {
  disk: statusFields.disk,
  size: statusFields.size,
  written,
  extendTo: { type: 'size', about: 'what it would grow to now', optional: true },
  armAt: { type: 'size', about: 'where the next crossing would be told', optional: true },
  because: { type: 'text', about: 'why' },
} as const;

export function factsOf(guarded: Guarded, now: number): Values<typeof factFields> {
  const { physical, fill, armed, pace, history, stopped, held, unarmed } = guarded;
  const seconds = secondsToFull(guarded, now);
  const took = history.at(-1)?.milliseconds;
  return {
    written: fill,
    perSecond: BigInt(Math.round(pace.rate(now))),
    free: larger(physical - fill, 0n),
    fullIn: Number.isFinite(seconds) ? Math.round(seconds * 1000) : undefined,
    armedAt: armed.offset,
    took: took === undefined ? undefined : Math.round(took),
    held: stopped === 'io-error' ? 'its guest stands still' : (held ?? unarmed),
  };
}

export const statusOf = (guarded: Guarded, now: number): Values<typeof statusFields> => ({
  disk: nameOf(guarded.disk),
  vm: guarded.disk.owner?.vmName || guarded.vm,
  target: guarded.target,
  size: guarded.physical,
  ...factsOf(guarded, now),
  extended: guarded.history.at(-1)?.at,
});

export function planOf(
  guarded: Guarded,
  { extendTo, armAt, fault }: Decision,
  isOff: boolean,
): Values<typeof planFields> {
  const { disk, physical, fill } = guarded;
  const known = { disk: nameOf(disk), size: physical, written: fill };
  if (isOff) return { ...known, because: 'it is switched off' };
  const wish =
    extendTo === undefined
      ? nothingToDo(guarded, armAt)
      : `${formatSize(larger(physical - fill, 0n))} free is too little`;
  return { ...known, extendTo, armAt, because: fault === undefined ? wish : `${wish} (the policy: ${fault})` };
}

const nothingToDo = ({ physical, fill }: Guarded, armAt: bigint | undefined): string =>
  armAt === undefined ? 'its whole image fits' : `${formatSize(larger(physical - fill, 0n))} free is enough`;

const nameOf = ({ pool, name }: Disk): string => `${pool}/${name}`;
