// What it costs that the writers of a VG are on three hosts: volumes made by three daemons in turn, against as many made by one.
import { startEtcd } from '../../test/fixtures/etcd.ts';
import { prepareGround } from '../../test/storm/ground.ts';
import { type Line, measurePairs, median, type Pairs, ratioLine } from '../measure.ts';
import { createHost, type Host } from './hosts.ts';

const ROUNDS = 8;
/** Daemons, and requests at a time on either side. */
const DAEMONS = 3;
/** Of each daemon, in a round. */
const CREATES = 6;
/** So many creates per second of three as a share of those of one alone. */
const GOAL = 0.9;

export async function measureCreates(): Promise<Line> {
  await using etcd = await startEtcd({ members: 1 });
  await using ground = await prepareGround();
  await using stack = new AsyncDisposableStack();
  const hosts: Host[] = [];
  for (let n = 1; n <= DAEMONS; n += 1) {
    const host = await createHost({ ground, name: `host${n}`, endpoints: etcd.endpoints, ttl: 10 });
    hosts.push(stack.use(host));
    await host.start();
  }
  const pairs = await measurePairs(
    ROUNDS,
    (round) => timeCreates(hosts, round),
    // Each host in its round is the one that is alone.
    (round) => timeCreates(hosts.slice((round + DAEMONS) % DAEMONS).slice(0, 1), round),
  );
  const line = ratioLine('creates: three daemons on one VG / one daemon alone', pairs, Number((1 / GOAL).toFixed(3)));
  return { ...line, beside: perSecond(pairs) };
}

/** Milliseconds of one create, among as many on either side, from a VG without volumes. */
async function timeCreates(hosts: readonly Host[], round: number): Promise<number> {
  const names = Array.from({ length: CREATES * DAEMONS }, (_, n) => `of-round-${round + DAEMONS}-${n}`);
  const begun = performance.now();
  await Promise.all(
    hosts.map((host, n) => {
      const own = names.filter((_, name) => name % hosts.length === n);
      return host.ask({ what: 'create', names: own, lanes: DAEMONS / hosts.length });
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
