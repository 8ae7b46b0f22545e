// What can happen to hosts, to etcd, and to the network between them. Each says whether it has really hit something.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from './dice.ts';
import { holdLvm } from './hold.ts';
import type { Host } from './host.ts';
import { followLedgers, type Line, lastTurn } from './ledger.ts';
import type { World } from './world.ts';

export interface Scene {
  readonly world: World;
  readonly dice: Dice;
  /** Whom it befalls, where it befalls a host. */
  readonly host: Host;
  /** Milliseconds after which a lease is gone that nobody has kept. */
  readonly long: number;
}

export interface Fault {
  readonly name: string;
  /** What it befalls. A turn is only one host's at a time, and so is etcd's majority; two faults at a time are of two kinds. */
  readonly befalls: 'turn' | 'network' | 'etcd';
  /** Resolves when it is over and what it has broken is whole again, with whether it hit. */
  run(scene: Scene): Promise<boolean>;
}

/** What the names of those have in them that make etcd forget, and what hosts say of it. */
export const FORGOT = /restored|emptied/;

const turn = (name: string, run: Fault['run']): Fault => ({ name, befalls: 'turn', run });
const network = (name: string, run: Fault['run']): Fault => ({ name, befalls: 'network', run });
const etcd = (name: string, run: Fault['run']): Fault => ({ name, befalls: 'etcd', run });

export const FAULTS: readonly Fault[] = [
  turn('daemon killed in its turn', async ({ host, dice }) => {
    await momentInTurn(host, dice);
    await host.killDaemon();
    const hit = isInTurn(host);
    host.start();
    return hit;
  }),

  turn('daemon stopped in its turn, longer than its lease', async ({ host, dice, long }) => {
    await momentInTurn(host, dice);
    host.signalDaemon('SIGSTOP');
    await sleep(long);
    const hit = isInTurn(host);
    host.signalDaemon('SIGCONT');
    return hit;
  }),

  turn('lvm held between read and write, longer than the lease', async ({ host, long }) => {
    const held = await holdLvm(host);
    if (held) await sleep(long);
    held?.letGo();
    return held !== undefined;
  }),

  turn('lvm held and its daemon stopped', async ({ host, dice, long }) => {
    const held = await holdLvm(host);
    if (!held) return false;
    host.signalDaemon('SIGSTOP');
    await sleep(long);
    const awake = [held.letGo, () => host.signalDaemon('SIGCONT')];
    for (const wake of dice.shuffled(awake)) {
      wake();
      await sleep(dice.below(300));
    }
    return true;
  }),

  turn('lvm held and its daemon killed', async ({ host, long }) => {
    const held = await holdLvm(host);
    if (!held) return false;
    await host.killDaemon();
    host.start();
    await sleep(long);
    held.letGo();
    return true;
  }),

  turn('power cut', async ({ host, dice, long }) => {
    await momentInTurn(host, dice);
    await host.cutPower();
    const hit = isInTurn(host);
    await sleep(dice.below(long));
    host.start();
    return hit;
  }),

  turn('power cut with lvm between read and write', async ({ host, dice, long }) => {
    const held = await holdLvm(host);
    await host.cutPower();
    await sleep(dice.below(long));
    host.start();
    return held !== undefined;
  }),

  turn('power cut, and the others go on after a fence', async ({ host, world, long }) => {
    const held = await holdLvm(host);
    const place = host.place();
    await host.cutPower();
    await sleep(long);
    const other = world.hosts.find((each) => each !== host && !each.isDown());
    await other?.ask('declare over', place).catch(() => {});
    const read = linesFrom(world, (each) => each !== host);
    await sleep(long);
    const hit = held !== undefined && read().some(isAcknowledged);
    host.start();
    return hit;
  }),

  network('network cut, connections refused', ({ world, host, long }) => cutWires(world, host, 'refused', long)),

  network('network cut, and nobody hears of it', ({ world, host, long }) => cutWires(world, host, 'silent', long)),

  etcd('etcd member killed', async ({ world, dice, long }) => {
    const member = dice.below(world.members);
    const read = linesFrom(world);
    await world.etcd?.kill(member);
    await sleep(long);
    await world.etcd?.restart(member);
    return read().some(({ is }) => is === 'made');
  }),

  etcd('etcd member frozen', async ({ world, dice, long }) => {
    const member = dice.below(world.members);
    const read = linesFrom(world);
    world.etcd?.freeze(member);
    await sleep(long);
    world.etcd?.thaw(member);
    return read().length > 0;
  }),

  etcd('etcd without a quorum', async ({ world, dice, long }) => {
    const members = dice.shuffled(Array.from({ length: world.members }, (_, member) => member));
    const lost = members.slice(0, Math.ceil(world.members / 2));
    for (const member of lost) await world.etcd?.kill(member);
    await sleep(AT_ONCE);
    const read = linesFrom(world);
    await sleep(long);
    const hit = !read().some(({ is }) => is === 'turn');
    for (const member of lost) await world.etcd?.restart(member);
    return hit;
  }),

  etcd('etcd compacted', async ({ world, long }) => {
    await world.etcd?.compact();
    const read = linesFrom(world);
    await sleep(long / 2);
    return read().length > 0;
  }),

  etcd('etcd restored from a snapshot', async ({ world, long }) => {
    const snapshot = await world.etcd?.snapshot();
    const read = linesFrom(world);
    await sleep(long);
    const isForgetful = read().some(({ is }) => is === 'made');
    await world.etcd?.restore(snapshot);
    return isForgetful && (await isTold(world, long));
  }),

  etcd('etcd emptied', async ({ world, long }) => {
    await world.etcd?.restore();
    return await isTold(world, long);
  }),
];

/** Whether a host says after a while that etcd forgot. */
async function isTold({ hosts }: World, after: number): Promise<boolean> {
  await sleep(after);
  const told = await Promise.all(hosts.map((host) => host.ask('trouble').catch(() => undefined)));
  return told.some((trouble) => typeof trouble === 'string');
}

async function cutWires(world: World, host: Host, how: 'refused' | 'silent', long: number): Promise<boolean> {
  host.wires.cut(how);
  // Time alone still proves its lease for a while, and what etcd was asked may yet be answered.
  await sleep(long);
  const read = linesFrom(world, (each) => each === host);
  await sleep(long / 2);
  const hit = !read().some(({ is }) => is === 'turn');
  host.wires.mend();
  return hit;
}

/** Milliseconds. */
const AT_ONCE = 300;

const isAcknowledged = (line: Line): boolean => line.is === 'ends' && line.as === 'acknowledged';

/** What hosts write down from now on. */
function linesFrom({ hosts }: World, which: (host: Host) => boolean = () => true): () => readonly Line[] {
  const read = followLedgers(hosts.filter(which).map(({ ledger }) => ledger));
  read();
  return read;
}

/** Waits until the host has the lock, and some moments more, as the dice will, while it still has it. */
async function momentInTurn(host: Host, dice: Dice): Promise<void> {
  for (const end = Date.now() + 5_000; Date.now() < end; ) {
    while (!isInTurn(host) && Date.now() < end) await sleep(2);
    await sleep(dice.below(80));
    if (isInTurn(host)) return;
  }
}

/** Whether the last that the host wrote down of its turns is that one began. */
function isInTurn({ ledger }: Host): boolean {
  return lastTurn(ledger) === 'turn';
}
