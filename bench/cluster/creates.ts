// What it costs that the writers of a VG are on three hosts: volumes made by three daemons in turn, against as many made by one.
import { startEtcd } from '../../test/fixtures/etcd.ts';
import { prepareGround } from '../../test/storm/ground.ts';
import { type Line, measurePairs, median, type Pairs, ratioLine } from '../measure.ts';
import { createHost, type Host } from './hosts.ts';

const ROUNDS = 8;
const DAEMONS = 3;
/** Of each daemon of three, in a round. */
const CREATES = 12;
/** So many creates per second of three as a share of those of one alone. */
const GOAL = 0.9;

/**
 * Twelve requests at a time on either side, so that each host of three has several; and, without a goal, one at a time for each
 * host: then the lock passes to another host with every single one.
 */
export async function measureCreates(): Promise<readonly Line[]> {
  await using etcd = await startEtcd({ members: 1 });
  await using ground = await prepareGround();
  await using stack = new AsyncDisposableStack();
  const hosts: Host[] = [];
  for (let n = 1; n <= DAEMONS; n += 1) {
    const host = await createHost({ ground, name: `host${n}`, endpoints: etcd.endpoints, ttl: 10 });
    hosts.push(stack.use(host));
    await host.start();
  }
  return [await measureWith(hosts, 12, GOAL), await measureWith(hosts, DAEMONS)];
}

async function measureWith(hosts: readonly Host[], atATime: number, goal?: number): Promise<Line> {
  const pairs = await measurePairs(
    ROUNDS,
    (round) => timeCreates(hosts, round, atATime),
    // Each host in its round is the one that is alone.
    (round) => timeCreates(hosts.slice((round + DAEMONS) % DAEMONS).slice(0, 1), round, atATime),
  );
  const most = goal === undefined ? undefined : Number((1 / goal).toFixed(3));
  const line = ratioLine(`creates, ${atATime} at a time: three daemons on one VG / one daemon alone`, pairs, most);
  return { ...line, beside: perSecond(pairs) };
}

/** Milliseconds of one create, among as many on either side, from a VG without volumes. */
async function timeCreates(hosts: readonly Host[], round: number, atATime: number): Promise<number> {
  const names = Array.from({ length: CREATES * DAEMONS }, (_, n) => `of-round-${round + DAEMONS}-${atATime}-${n}`);
  const begun = performance.now();
  await Promise.all(
    hosts.map((host, n) => {
      const own = names.filter((_, name) => name % hosts.length === n);
      return host.ask({ what: 'create', names: own, lanes: atATime / hosts.length });
    }),
  );
  const elapsed = performance.now() - begun;
  await hosts[0]?.ask({ what: 'clear' });
  return elapsed / names.length;
}

function perSecond({ ours, bare }: Pairs) {
  const rate = (milliseconds: readonly number[]) => (1000 / median(milliseconds)).toFixed(1);
  return { 'ours (/s)': rate(ours), 'bare (/s)': rate(bare), pairs: ours.length };
}
