// Two hosts that work at random through their daemons, for some minutes, while what can fail fails. What was asked is done, once,
// when it is asked again by its request id; both hosts, LVM and a guest that runs all the while agree. test/storm does the same
// to hosts of one process each, a hundred times as fast.
//
//     node test/long/cluster-storm.test.ts [SEED]
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import { atRest, bytes, type Request, succeed } from '../e2e/api.ts';
import { askAll, configOf, listed, POOL, startOwn, vgck, volumes } from '../e2e/cluster-bed.ts';
import { createDice, type Dice } from '../storm/dice.ts';
import type { Daemon } from '../testbed/daemon.ts';
import { type Cluster, type Guest, type Host, testbed } from '../testbed/index.ts';

const SECONDS = 300;
/** Each host asks for so much at once. */
const AT_ONCE = 3;
/** Longer than a lease lasts. */
const LEASE = 14_000;
/** What was asked is in the middle of it by then, or over. */
const BEGUN = 10_000;
const WITNESS = 'witness';

interface Known {
  /** MiB; a thin disk has at least that. */
  readonly size: number;
  readonly isThin: boolean;
  readonly isAttached: boolean;
}

interface Wish {
  readonly host: Host;
  readonly request: Request;
  readonly name: string;
  /** What there is when it is done. */
  readonly means: Known | undefined;
}

interface World {
  readonly cluster: Cluster;
  readonly daemons: Map<Host, Daemon>;
  readonly dice: Dice;
}

/** Strikes while both hosts work, and is over when it returns. Only the second host loses its power: a guest watches on the first. */
const FAULTS: Readonly<Record<string, (world: World) => Promise<void>>> = {
  'daemon killed': async (world) => {
    const host = world.dice.pick(world.cluster.hosts) as Host;
    await world.daemons.get(host)?.kill();
    world.daemons.set(host, await startOwn(host));
  },
  'power cut, fenced': async (world) => {
    const [first, second] = [world.cluster.host(1), world.cluster.host(2)];
    await second.powerCut();
    await first.run(`until sltv node fence ${second.name} --yes; do sleep 1; done`, { timeout: 120_000 });
    await comeBack(world, second);
  },
  'power cut': async (world) => {
    await world.cluster.host(2).powerCut();
    await comeBack(world, world.cluster.host(2));
  },
  'host frozen': async ({ cluster }) => {
    cluster.host(2).freeze();
    await sleep(LEASE);
    cluster.host(2).thaw();
  },
  'network cut': async ({ cluster, dice }) => {
    const host = dice.pick(cluster.hosts) as Host;
    await cluster.cut(host);
    await sleep(LEASE);
    await cluster.join(host);
  },
  'etcd member killed': async ({ cluster, dice }) => {
    const member = 1 + dice.below(3);
    await cluster.etcd.kill(member);
    await sleep(LEASE);
    await cluster.etcd.start(member);
  },
  'etcd quorum frozen': async ({ cluster }) => {
    for (const member of [1, 2]) cluster.etcd.freeze(member);
    await sleep(LEASE);
    for (const member of [1, 2]) cluster.etcd.thaw(member);
  },
};

test('whatever happens to daemons, hosts, etcd and the network, what was asked of two hosts is done, once', async () => {
  const seed = process.argv[2] ?? Math.random().toString(36).slice(2, 10);
  console.log(`seed ${seed}`);
  await using cluster = await testbed.cluster({
    name: 'storm',
    lun: '8G',
    host: (self) => ({ memory: 768, files: configOf(self) }),
  });
  const world: World = { cluster, daemons: new Map(), dice: createDice(seed) };
  await Promise.all(cluster.hosts.map(async (host) => world.daemons.set(host, await startOwn(host))));
  const first = cluster.host(1);
  await first.run(`sltv pool create ${POOL} ${cluster.lun}`);
  const witness = await startWitness(first);
  const vm = await first.guest('idle', { start: false });

  const disks = new Map<string, Known>();
  const counts = { asked: 0, repeated: 0 };
  const begun = performance.now();
  let round = 0;
  let faults: readonly string[] = [];
  while (performance.now() - begun < SECONDS * 1000) {
    round += 1;
    if (faults.length === 0) faults = world.dice.shuffled(Object.keys(FAULTS));
    const [fault = '', ...later] = faults;
    faults = later;
    const wishes = plan(world, disks, round);
    const asked = Promise.all(
      cluster.hosts.map((host) =>
        tryAll(
          host,
          wishes.filter((wish) => wish.host === host),
        ),
      ),
    );
    const writing = witness.write('2M', { at: `${2 * round}M`, mark: round, timeout: 180_000 });
    await sleep(world.dice.below(BEGUN));
    await FAULTS[fault]?.(world);
    const left = (await asked).flat();
    await Promise.all(
      cluster.hosts.map((host) =>
        repeat(
          host,
          left.filter((wish) => wish.host === host),
        ),
      ),
    );
    await writing;
    for (const { name, means } of wishes) means ? disks.set(name, means) : disks.delete(name);
    counts.asked += wishes.length;
    counts.repeated += left.length;
    console.log(`round ${round}: ${fault}; ${wishes.length} asked, ${left.length} of them again; ${disks.size} disks`);
    await compare(cluster, disks, vm.uuid);
  }
  for (let past = 1; past <= round; past += 1) {
    await witness.verify('2M', { at: `${2 * past}M`, mark: past, timeout: 180_000 });
  }
  console.log(`${round} rounds, ${counts.asked} asked, ${counts.repeated} of them again`);
  assert.ok(counts.repeated > 0, 'a storm in which nothing happens');
});

/** A guest on the host that keeps its power, with a thin disk. */
async function startWitness(host: Host): Promise<Guest> {
  const guest = await host.guest(WITNESS);
  await succeed(host, {
    method: 'CreateDisk',
    body: { name: WITNESS, vg: POOL, mode: 'PROVISION_MODE_THIN', ...sizes(8, 1024) },
  });
  await succeed(host, { method: 'AttachDisk', body: { diskName: WITNESS, vmName: WITNESS } });
  return guest;
}

async function comeBack(world: World, host: Host): Promise<void> {
  await host.boot();
  world.daemons.set(host, await startOwn(host));
}

/** What each host is asked for in a round; no disk twice. */
function plan({ cluster, dice }: World, disks: ReadonlyMap<string, Known>, round: number): readonly Wish[] {
  const free = dice.shuffled([...disks]);
  return cluster.hosts.flatMap((host) =>
    Array.from({ length: AT_ONCE }, (_, n): Wish => {
      const id = `${host.name}-${round}-${n}`;
      const [name, known] = (dice.chance(0.6) && free.pop()) || [id, undefined];
      const wish = known === undefined ? creation(dice, name) : change(dice, host === cluster.host(1), name, known);
      return { host, name, means: wish.means, request: { method: wish.method, body: wish.body, id } };
    }),
  );
}

type Change = Pick<Wish, 'means'> & Pick<Request, 'method' | 'body'>;

function creation(dice: Dice, name: string): Change {
  const isThin = dice.chance(0.5);
  const body = isThin ? { mode: 'PROVISION_MODE_THIN', ...sizes(8, 64) } : sizes(8);
  return {
    method: 'CreateDisk',
    body: { name, vg: POOL, ...body },
    means: { size: 8, isThin, isAttached: false },
  };
}

/** Only the host of the VM attaches; any host may detach, by asking that one. */
function change(dice: Dice, hasVm: boolean, name: string, known: Known): Change {
  const about = { diskName: `${POOL}/${name}`, vmName: 'idle' };
  if (known.isAttached) return { method: 'DetachDisk', body: about, means: { ...known, isAttached: false } };
  if (hasVm && dice.chance(0.4)) return { method: 'AttachDisk', body: about, means: { ...known, isAttached: true } };
  if (!known.isThin && dice.chance(0.5)) {
    const size = known.size + 8;
    return { method: 'ExtendDisk', body: { name: about.diskName, ...sizes(size) }, means: { ...known, size } };
  }
  return { method: 'DeleteDisk', body: { name: about.diskName }, means: undefined };
}

/** Those that were not answered well. */
async function tryAll(host: Host, wishes: readonly Wish[]): Promise<readonly Wish[]> {
  if (wishes.length === 0) return [];
  const requests = wishes.map(({ request }) => request);
  // A host without power answers nothing.
  const answers = await askAll(host, requests).catch(() => []);
  const left = wishes.filter((_, n) => answers[n]?.status !== 200);
  const words = left.map((wish) => {
    const { text = 'no answer' } = answers[wishes.indexOf(wish)] ?? {};
    return `${wish.request.method} ${wish.request.id}: ${/"code":"([a-z-]+\/[a-z-]+)"/.exec(text)?.[1] ?? text.trim()}`;
  });
  for (const line of words) console.log(line);
  return left;
}

/** By the same ids, when the fault is over: a daemon that lost its lease needs some seconds to have another. */
async function repeat(host: Host, wishes: readonly Wish[]): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (let left = wishes; left.length > 0; await sleep(1_000)) {
    assert.ok(performance.now() < end, `${host.name} does not do what it was asked again and again`);
    left = await tryAll(host, left);
  }
}

/** Milliseconds. */
const PATIENCE = 180_000;

/** What there should be, by what both hosts say and by what LVM says. */
async function compare(cluster: Cluster, disks: ReadonlyMap<string, Known>, vm: string): Promise<void> {
  const names = [...disks.keys(), WITNESS].toSorted();
  for (const host of cluster.hosts) {
    await atRest(host);
    const seen = new Map(await listed(host));
    seen.delete(WITNESS);
    assert.equal([...seen.keys(), WITNESS].toSorted(), names, host.name);
    for (const [name, { size, isThin, isAttached }] of disks) {
      const { sizeBytes = '0', vmUuid, state } = seen.get(name) ?? {};
      const mebibytes = Number(BigInt(sizeBytes) / MiB);
      const about = `${host.name}: ${name} has ${mebibytes} MiB, is ${state}`;
      assert.ok(isThin ? mebibytes >= size : mebibytes === size, `${about}, and should have ${size}`);
      assert.is(vmUuid, isAttached ? vm : '', about);
    }
    assert.equal((await volumes(host)).toSorted(), names, `${host.name}, by LVM`);
  }
  await vgck(cluster.host(2));
}

const sizes = (size: number, virtual?: number) => ({
  sizeBytes: bytes(size),
  ...(virtual === undefined ? {} : { virtualSizeBytes: bytes(virtual) }),
});

test.run();
