// The storm's own test: without what keeps hosts apart, updates must get lost, and be found.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Protection } from './daemon.ts';
import { holdLvm } from './hold.ts';
import { followLedgers } from './ledger.ts';
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
  /** Codes of the errors that told hosts so, in any of the tries: what is lost last is not always noticed before all rest. */
  readonly told: ReadonlySet<string>;
}

/** No locks among the hosts: an lvm of one is held while the other goes on, then writes over what that has made. */
export async function withoutLocks(options: ControlOptions): Promise<Loss> {
  return await untilLost('none', [], options, async (world) => {
    const held = await holdLvm(world.hosts[0]);
    await othersCommit(world);
    held?.letGo();
  });
}

/** Leases alone: the holder stands still, and so does its lvm, until its lease is given to the other. */
export async function withoutRecords(options: ControlOptions): Promise<Loss> {
  return await untilLost('lease-only', ['lvm/lost-update'], options, async (world) => {
    const [host] = world.hosts;
    const held = await holdLvm(host);
    host.signalDaemon('SIGSTOP');
    await othersCommit(world);
    held?.letGo();
    await sleep(100);
    host.signalDaemon('SIGCONT');
    await sleep(1_000);
  });
}

/** Seconds: the least that etcd grants. */
const TTL = 2;
const TRIES = 8;
/** Milliseconds. */
const PATIENCE = 10_000;

/** Waits until a host that nothing has happened to has ended some turns with something made in them. */
async function othersCommit({ hosts: [, ...others] }: World): Promise<void> {
  const read = followLedgers(others.map(({ ledger }) => ledger));
  read();
  let made = 0;
  for (const end = Date.now() + PATIENCE; made < 5 && Date.now() < end; ) {
    await sleep(20);
    made += read().filter(({ is }) => is === 'made').length;
  }
}

/** Each time in a new world: where a loss was noticed, and none of what was acknowledged is gone, nothing is written any more. */
async function untilLost(
  protection: Protection,
  expected: readonly string[],
  { seed, say }: ControlOptions,
  disturb: (world: World) => Promise<void>,
): Promise<Loss> {
  const lost: string[] = [];
  const told = new Set<string>();
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const how = { hosts: 2, protection, ttl: TTL, members: 1, ownNames: true } as const;
    await using world = await createWorld({ ...how, seed: `${seed}/${tries}` });
    const { hosts, ground } = world;
    await Promise.all(hosts.map((host) => host.ask('work')));
    await sleep(500);
    await disturb(world);
    await Promise.all(hosts.map((host) => host.ask('rest')));
    const read = followLedgers(hosts.map(({ ledger }) => ledger));
    const lines = read();
    const disks = await readDisks(ground).catch((error: unknown) => String(error));
    const gone = typeof disks === 'string' ? [`the VG can't be read: ${disks}`] : lostAmong(lines, statesOf(disks));
    const check = await checkMetadata(ground);
    // It may have come with the last turn that they had: the next ones are told.
    if (gone.length > 0) {
      await Promise.all(hosts.map((host) => host.ask('work')));
      await sleep(2_000);
      await Promise.all(hosts.map((host) => host.ask('rest')));
    }
    const heard = new Set([...lines, ...read()].flatMap((line) => (line.is === 'ends' ? line.as : [])));
    say(`try ${tries}: ${gone.length} lost, vgck ${check.length === 0 ? 'clean' : check.join('; ')}`);
    for (const sentence of gone) say(`  ${sentence}`);
    say(`  hosts were told: ${[...heard].join(', ')}`);
    lost.push(...gone);
    for (const code of heard) told.add(code);
    if (lost.length > 0 && expected.every((code) => told.has(code))) break;
  }
  return { lost, told };
}
