// The storm itself: in each round all hosts work at random while something happens to them; then all come to rest, and
// what there is must be what was acknowledged.
import { setTimeout as sleep } from 'node:timers/promises';
import { createDice, type Dice } from './dice.ts';
import { FAULTS, type Fault, FORGOT } from './faults.ts';
import { HostError } from './host.ts';
import { followLedgers } from './ledger.ts';
import { type Counts, createModel } from './model.ts';
import { checkDisks, checkIdentity, checkMetadata, createContents, readDisks, statesOf } from './verify.ts';
import { createWorld, type World } from './world.ts';

export interface StormOptions {
  readonly seed: string;
  readonly seconds: number;
  readonly hosts: number;
  /** Seconds of a lease. */
  readonly ttl: number;
  /** Only the faults whose names have this word in them. */
  readonly only?: string | undefined;
  readonly say: (line: string) => void;
  /** Called at the end, while all is still there. */
  readonly keep: (world: World, isWrong: boolean) => Promise<unknown>;
}

export interface Verdict {
  readonly rounds: number;
  readonly counts: Counts;
  /** By a fault's name, how often it was tried and how often it really hit. */
  readonly faults: ReadonlyMap<string, { tried: number; hit: number }>;
  /** Empty when all is well; else in sentences. */
  readonly wrong: readonly string[];
}

/** Ends with the first round in which something is wrong. */
export async function storm(options: StormOptions): Promise<Verdict> {
  const { seed, seconds, ttl, say } = options;
  const dice = createDice(seed);
  await using world = await createWorld({ ...options, protection: 'etcd-lock', members: 3, ownNames: false });
  const read = followLedgers(world.hosts.map(({ ledger }) => ledger));
  const contents = await createContents(world.ground);
  const model = createModel();
  const chosen = FAULTS.filter(({ name }) => name.includes(options.only ?? ''));
  const faults = new Map(chosen.map(({ name }) => [name, { tried: 0, hit: 0 }]));
  const draw = deckOf(chosen, dice);
  const end = Date.now() + seconds * 1000;
  let wrong: readonly string[] = [];
  let rounds = 0;

  while (Date.now() < end && wrong.length === 0) {
    rounds += 1;
    const before = model.counts.acknowledged;
    await Promise.all(world.hosts.map((host) => host.ask('work')));
    await sleep(QUIET + dice.below(QUIET));
    const hosts = dice.shuffled(world.hosts);
    const drawn = draw();
    const befallen = await Promise.all(
      drawn.map(async (fault, index) => {
        const host = hosts[index] ?? world.hosts[0];
        const hit = await fault.run({ world, host, dice: createDice(seed, rounds, index), long: ttl * 1500 });
        const count = faults.get(fault.name);
        if (count) count.tried += 1;
        if (count && hit) count.hit += 1;
        return `${fault.name}${fault.befalls !== 'etcd' ? ` (${host.name})` : ''}${hit ? '' : ', not hit'}`;
      }),
    );
    await sleep(QUIET / 4);
    const problems = await comeToRest(world).catch((error: unknown) => [`does not come to rest: ${error}`]);
    model.follow(
      read(),
      drawn.some(({ name }) => FORGOT.test(name)),
    );
    const disks = await readDisks(world.ground);
    model.compare(statesOf(disks));
    wrong = [...problems, ...model.wrong, ...(await check(world, contents, disks))];
    const done = model.counts.acknowledged - before;
    say(`round ${rounds}: ${befallen.join('; ')}: ${done} operations, ${disks.size} disks`);
  }
  await options.keep(world, wrong.length > 0);
  return { rounds, counts: model.counts, faults, wrong };
}

/** Milliseconds for which nothing happens to anybody. */
const QUIET = 3_000;

/** One fault or two at a time, so that each has come before one comes again. */
function deckOf(faults: readonly Fault[], dice: Dice): () => readonly Fault[] {
  let deck: Fault[] = [];
  const take = (fits: (fault: Fault) => boolean): Fault | undefined => {
    if (deck.length === 0) deck = dice.shuffled(faults);
    const at = deck.findIndex(fits);
    return at < 0 ? undefined : deck.splice(at, 1)[0];
  };
  return () => {
    const first = take(() => true);
    const second = dice.chance(0.35) ? take(({ befalls }) => befalls !== first?.befalls) : undefined;
    return [first, second].filter((fault) => fault !== undefined);
  };
}

/** All up, nobody at work, nothing half-made that can be ended. Answers with what did not go as it must. */
async function comeToRest(world: World): Promise<string[]> {
  const { hosts } = world;
  for (const host of hosts) host.start();
  await Promise.all(hosts.map((host) => host.untilUp()));
  await Promise.all(hosts.map((host) => host.ask('rest')));
  await recoverCluster(world);
  for (const host of hosts) await patiently(() => host.ask('recover disks'));
  return [];
}

/** Nobody writes any more: that is the proof which `sltv cluster recover` asks for. */
async function recoverCluster({ hosts }: World): Promise<void> {
  const told = await Promise.all(hosts.map((host) => host.ask('trouble')));
  if (!told.some((trouble) => typeof trouble === 'string' && FORGOT.test(trouble))) return;
  await patiently(() => hosts[0].ask('recover cluster'));
}

/** Leases that were lost come back within moments; what fails for longer has failed. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + PATIENCE; ; ) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > end || !(error instanceof HostError) || !/^etcd-lock|lock-lost/.test(error.code)) throw error;
      await sleep(200);
    }
  }
}

/** Milliseconds. */
const PATIENCE = 20_000;

async function check(
  { ground, hosts }: World,
  contents: Awaited<ReturnType<typeof createContents>>,
  disks: Awaited<ReturnType<typeof readDisks>>,
): Promise<string[]> {
  const witness = await patiently(() => hosts[0].witness()).catch((error: unknown) => String(error));
  return [
    ...(await checkMetadata(ground)),
    ...(typeof witness === 'string' ? [witness] : await checkIdentity(ground, witness)),
    ...checkDisks(disks),
    ...(await contents.check(disks)),
  ];
}
