// How fast a disk fills, and how long an extension takes.

/** Milliseconds after which a speed that is not seen again counts half. */
const HALF_LIFE = 60_000;
/** Milliseconds: of two observations that are closer, the later one says nothing about speed. */
const CLOSEST = 200;

export interface Pace {
  /** Takes note that the disk was written up to `fill` bytes at `now` milliseconds. */
  saw(fill: bigint, now: number): void;
  /** Bytes a second: the highest of late, fading, so that a guest that pauses for breath is not taken for a slow one. */
  rate(now: number): number;
}

export function createPace(): Pace {
  let last: { fill: bigint; at: number } | undefined;
  let peak = 0;
  let peakAt = 0;
  const rate = (now: number) => peak * 0.5 ** (Math.max(0, now - peakAt) / HALF_LIFE);
  return {
    rate,
    saw(fill, now) {
      if (last === undefined) {
        last = { fill, at: now };
        return;
      }
      const elapsed = now - last.at;
      if (elapsed < CLOSEST) return;
      const seen = (Number(fill - last.fill) * 1000) / elapsed;
      last = { fill, at: now };
      if (seen <= rate(now)) return;
      peak = seen;
      peakAt = now;
    },
  };
}

/** Milliseconds before any was seen: lvm2 on a busy host. */
const FIRST_GUESS = 1_000;
const REMEMBERED = 20;

export interface Stopwatch {
  took(milliseconds: number): void;
  /** The longest of the last ones, milliseconds. */
  longest(): number;
}

export function createStopwatch(): Stopwatch {
  const last: number[] = [];
  return {
    took(milliseconds) {
      last.push(milliseconds);
      if (last.length > REMEMBERED) last.shift();
    },
    longest: () => (last.length === 0 ? FIRST_GUESS : Math.max(...last)),
  };
}
