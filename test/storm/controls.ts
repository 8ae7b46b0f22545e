// The storm's own test: without what keeps hosts apart, updates must get lost, and be found.
import { setTimeout as sleep } from 'node:timers/promises';
import { createDice } from './dice.ts';
import { holdLvm } from './hold.ts';
import { followLedgers, type Line } from './ledger.ts';
import { lostAmong } from './model.ts';
import { checkMetadata, readDisks, statesOf } from './verify.ts';
import { createWorld, type World } from './world.ts';

export interface ControlOptions {
  readonly seed: string;
  readonly say: (line: string) => void;
}

export interface Loss {
  /** What was acknowledged and is not there, in sentences. */
  readonly lost: readonly string[];
  /** Codes of the errors that told hosts so. */
  readonly told: ReadonlySet<string>;
}

/** No locks among the hosts: an lvm of one is held while the others go on, then writes over what they have made. */
export async function withoutLocks({ seed, say }: ControlOptions): Promise<Loss> {
  await using world = await createWorld({ seed, hosts: 2, protection: 'none', ttl: TTL, members: 1, ownNames: true });
  return await untilLost(world, say, async () => {
    const held = await holdLvm(world.hosts[0]);
    await sleep(1_000);
    held?.letGo();
  });
}

/** Leases alone: the holder stands still, and so does its lvm, until its lease is given to others. */
export async function withoutRecords({ seed, say }: ControlOptions): Promise<Loss> {
  const options = { seed, hosts: 2, protection: 'lease-only', ttl: TTL, members: 1, ownNames: true } as const;
  await using world = await createWorld(options);
  const dice = createDice(seed);
  return await untilLost(world, say, async () => {
    const [host] = world.hosts;
    const held = await holdLvm(host);
    host.signalDaemon('SIGSTOP');
    await sleep(TTL * 1_500);
    held?.letGo();
    await sleep(dice.below(300));
    host.signalDaemon('SIGCONT');
    await sleep(1_000);
  });
}

/** Seconds: the least that etcd grants. */
const TTL = 2;
const TRIES = 8;

async function untilLost(world: World, say: (line: string) => void, disturb: () => Promise<void>): Promise<Loss> {
  const { hosts, ground } = world;
  const read = followLedgers(hosts.map(({ ledger }) => ledger));
  const lines: Line[] = [];
  for (let tries = 1; tries <= TRIES; tries += 1) {
    await Promise.all(hosts.map((host) => host.ask('work')));
    await sleep(500);
    await disturb();
    await Promise.all(hosts.map((host) => host.ask('rest')));
    lines.push(...read());
    const told = new Set(lines.flatMap((line) => (line.is === 'ends' ? line.as : [])));
    const disks = await readDisks(ground).catch((error: unknown) => String(error));
    const lost = typeof disks === 'string' ? [`the VG can't be read: ${disks}`] : lostAmong(lines, statesOf(disks));
    if (lost.length === 0) continue;
    const check = await checkMetadata(ground);
    say(`lost at try ${tries}, vgck ${check.length === 0 ? 'clean' : check.join('; ')}:`);
    for (const sentence of lost) say(`  ${sentence}`);
    say(`hosts were told: ${[...told].join(', ')}`);
    return { lost, told };
  }
  say(`nothing was lost in ${TRIES} tries`);
  return { lost: [], told: new Set() };
}
