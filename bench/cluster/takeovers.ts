// How long a VG waits for its next commit when the host that had its lock has died in mid-commit, next to the lease's time.
import { setTimeout as sleep } from 'node:timers/promises';
import { startEtcd } from '../../test/fixtures/etcd.ts';
import { prepareGround } from '../../test/storm/ground.ts';
import { type Line, median } from '../measure.ts';
import { createHost, type Host } from './hosts.ts';

const ROUNDS = 5;
/** Seconds: the default. */
const TTL = 10;

export async function measureTakeovers(): Promise<readonly Line[]> {
  await using etcd = await startEtcd({ members: 1 });
  await using ground = await prepareGround();
  const place = { ground, endpoints: etcd.endpoints, ttl: TTL };
  await using dying = await createHost({ ...place, name: 'dying' });
  await using other = await createHost({ ...place, name: 'other' });
  await dying.start();
  await other.start();
  const taken = new Map<string, Takeover[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [how, takeOver] of Object.entries(WAYS)) {
      const lived = await takeOver(dying, other, `${how.slice(0, 3)}-${round}`);
      taken.set(how, [...(taken.get(how) ?? []), lived]);
      await other.ask({ what: 'clear' });
    }
  }
  return [...taken].map(([how, all]) => lineOf(how, all));
}

/** Milliseconds from the kill. */
interface Takeover {
  readonly committed: number;
  /** When the host's new daemon was up, or that it is over was declared: what comes before is not the lock's. */
  readonly ready: number;
}

/** Each leaves both hosts up, and the lock free. */
const WAYS: Readonly<Record<string, (dying: Host, other: Host, name: string) => Promise<Takeover>>> = {
  /** Its lvm goes on, and ends by itself. */
  async 'its daemon again, same boot'(dying, _other, name) {
    await begin(dying, name);
    const killed = performance.now();
    await dying.killDaemon();
    return await comesBack(dying, name, killed);
  },
  async 'the same host, rebooted at once'(dying, _other, name) {
    await begin(dying, name);
    const killed = performance.now();
    await dying.cutPower();
    return await comesBack(dying, name, killed);
  },
  /** By a host that waits for the lock already, and as soon as it can be said. */
  async 'another host, after a fence'(dying, other, name) {
    await begin(dying, name);
    const waiting = other.ask({ what: 'create', names: [name], lanes: 1 });
    const killed = performance.now();
    await other.ask({ what: 'declare over', place: await dying.cutPower() });
    const ready = performance.now() - killed;
    await waiting;
    const committed = performance.now() - killed;
    await comesBack(dying, `${name}-back`, killed);
    return { committed, ready };
  },
};

async function begin(host: Host, name: string): Promise<void> {
  // It ends with its host.
  host.ask({ what: 'hold', prefix: `held-${name}` }).catch(() => {});
  await host.commits();
}

async function comesBack(host: Host, name: string, killed: number): Promise<Takeover> {
  await host.start();
  const ready = performance.now() - killed;
  await untilCommitted(host, name);
  return { committed: performance.now() - killed, ready };
}

/** While the lease of its earlier boot stands, a daemon answers that it has no lock to give: whoever wants something asks again. */
async function untilCommitted(host: Host, name: string): Promise<void> {
  for (const end = performance.now() + PATIENCE; ; await sleep(AGAIN)) {
    try {
      return await host.ask({ what: 'create', names: [name], lanes: 1 });
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

/** Milliseconds. */
const PATIENCE = 60_000;
const AGAIN = 50;

function lineOf(how: string, all: readonly Takeover[]): Line {
  const inSeconds = (milliseconds: number) => (milliseconds / 1000).toFixed(2);
  const committed = all.map((each) => each.committed);
  const beside = {
    'up or fenced (s)': inSeconds(median(all.map(({ ready }) => ready))),
    'longest (s)': inSeconds(Math.max(...committed)),
    'TTL (s)': TTL,
    rounds: all.length,
  };
  return {
    what: `from death in mid-commit to a commit: ${how}`,
    value: median(committed) / 1000,
    unit: 's',
    beside,
    raw: all,
  };
}
