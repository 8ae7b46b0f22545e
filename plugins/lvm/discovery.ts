// Which VGs of this host are pools: those that the config names, and those marked so.
import { type Log, SltvError } from 'sltv';
import type { Lvm } from './commands.ts';
import { reportSightings, type Sighting } from './report.ts';
import { pause, waitFor } from './waiting.ts';

export interface Discovery {
  /**
   * The VGs that are pools, the config's first, in its order; as they were seen last. When that is some seconds ago, they are
   * looked at anew soon after this answer; before it where the last look is of no use to who asks: it failed, found nothing, or
   * lacked the VG of the config that is wanted.
   */
  look(signal: AbortSignal, wanted?: string): Promise<readonly Sighting[]>;
  /** Makes the next answer wait for a new look. */
  forget(): void;
  /** Whether the last look saw a VG of that name, and one only, pool or not. */
  sees(name: string): boolean;
  /** Why LVM could not be asked at the last look; undefined when it could. */
  trouble(): SltvError | undefined;
}

export interface DiscoveryOptions {
  readonly lvm: Lvm;
  readonly log: Log;
  /** The VGs that the config names. */
  readonly vgs: readonly string[];
  /** Fires when the daemon stops. */
  readonly life: AbortSignal;
  /** Milliseconds, on a clock that only goes forward. */
  readonly now: () => number;
  /** Lets so many milliseconds pass. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}

export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { lvm, log, vgs, life, now, wait = (milliseconds) => pause(milliseconds, life) } = options;
  const say = onceEach(log);
  let latest: Look | undefined;
  /** What LVM told last. While it can't be asked its VGs are where they were: whoever uses one is told what is wrong. */
  let all: readonly Sighting[] = [];
  let trouble: SltvError | undefined;

  async function lookAnew(): Promise<readonly Sighting[]> {
    await ask();
    const pools = inOrder(all.filter(isDistinct(all, say)).filter(isPool(vgs)), vgs);
    for (const vg of vgs) say('info', `the config's volume group ${vg} is not on this host`, lacks(pools, vg));
    return pools;
  }

  async function ask(): Promise<void> {
    try {
      all = await reportSightings(lvm, life);
      trouble = undefined;
    } catch (error) {
      const useless = error instanceof SltvError && (error.kind === 'unavailable' || error.kind === 'denied');
      if (!useless) throw error;
      trouble = error;
      say('warn', `LVM can't be asked for volume groups: ${error.message}`, true);
    }
  }

  function begin(): Look {
    const pools = lookAnew();
    const ended = pools.then(
      (found) => {
        look.at = now();
        look.isOfUse = (wanted) =>
          trouble === undefined &&
          found.length > 0 &&
          !(wanted !== undefined && vgs.includes(wanted) && lacks(found, wanted));
      },
      () => {
        look.at = Number.NEGATIVE_INFINITY;
      },
    );
    const look: Look = {
      pools,
      ended,
      at: Number.POSITIVE_INFINITY,
      isOfUse: () => false,
      isRenewed: false,
    };
    return look;
  }

  /** What was forgotten meanwhile stays so: this look may have begun before what made it wrong. */
  async function renew(old: Look): Promise<void> {
    old.isRenewed = true;
    await wait(CONSIDERATE);
    if (latest !== old) return;
    const fresh = begin();
    await fresh.ended;
    if (latest === old) latest = fresh;
  }

  return {
    look(signal, wanted) {
      const age = latest === undefined ? Number.POSITIVE_INFINITY : now() - latest.at;
      if (!latest || (age >= LIFETIME_OF_NO_USE && !latest.isOfUse(wanted))) latest = begin();
      else if (age >= LIFETIME && !latest.isRenewed) renew(latest).catch(() => {});
      return waitFor(latest.pools, signal);
    },
    forget() {
      latest = undefined;
    },
    sees: (name) => all.filter((sighting) => sighting.name === name).length === 1,
    trouble: () => trouble,
  };
}

/** One look, shared by all who ask for it while it is taken, and until there is a newer one. */
interface Look {
  readonly pools: Promise<readonly Sighting[]>;
  /** Resolves when the rest of this is known. */
  readonly ended: Promise<void>;
  /** When it ended. */
  at: number;
  /** Whether it may serve who wants this VG, or none in particular, so that nobody waits for what it found before. */
  isOfUse: (wanted: string | undefined) => boolean;
  /** The look that will replace it is on its way. */
  isRenewed: boolean;
}

/** Milliseconds. A VG that is gone is found out at once, by whoever uses it; a new one by the next look after this. */
const LIFETIME = 10_000;
/** The operation that asked has most likely ended by then: they would take each other's time, and LVM's own locks. */
const CONSIDERATE = 1_000;
/** Somebody may be making what is missing just now. */
const LIFETIME_OF_NO_USE = 1_000;

const lacks = (pools: readonly Sighting[], vg: string): boolean => !pools.some(({ name }) => name === vg);

type Say = (level: 'info' | 'warn', message: string, holds: boolean) => void;

/** Says a thing when it begins to hold, not each time that it still does. */
function onceEach(log: Log): Say {
  const holding = new Set<string>();
  return (level, message, holds) => {
    if (holds && !holding.has(message)) log[level](message);
    if (holds) holding.add(message);
    else holding.delete(message);
  };
}

/** lvm can't tell VGs of one name apart, so neither can we. */
function isDistinct(all: readonly Sighting[], say: Say): (sighting: Sighting) => boolean {
  const byName = Map.groupBy(all, ({ name }) => name);
  return ({ name }) => {
    const ambiguous = byName.get(name)?.length !== 1;
    say('warn', `two volume groups are called ${name}: rename one of them by its uuid, with vgrename`, ambiguous);
    return !ambiguous;
  };
}

function isPool(vgs: readonly string[]): (sighting: Sighting) => boolean {
  return ({ name, notes }) => vgs.includes(name) || notes.v !== undefined;
}

function inOrder(pools: readonly Sighting[], vgs: readonly string[]): readonly Sighting[] {
  const rank = ({ name }: Sighting) => (vgs.includes(name) ? vgs.indexOf(name) : vgs.length);
  return pools.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}
