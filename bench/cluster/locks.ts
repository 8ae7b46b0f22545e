// What a lock costs against the two transactions that it can't do without, on a real etcd.

import { createEtcdKv } from '../../plugins/etcd-lock/etcd-kv.ts';
import type { Kv } from '../../plugins/etcd-lock/kv.ts';
import { startEtcd } from '../../test/fixtures/etcd.ts';
import { nodesOnEtcd } from '../../test/fixtures/etcd-nodes.ts';
import { type Line, measurePairs, median, type Pairs, ratioLine } from '../measure.ts';

const ROUNDS = 100;
/** Pairs of calls measured at once: one takes a millisecond, which is what a neighbour costs. */
const CALLS = 10;
const never = new AbortController().signal;

export async function measureLocks(members: 1 | 3): Promise<Line> {
  await using etcd = await startEtcd({ members });
  await using nodes = nodesOnEtcd(etcd, { ttl: 10 });
  const node = await nodes.open();
  const kv = await createEtcdKv({ endpoints: etcd.endpoints });
  const lease = await kv.grant(60);
  const pairs = await measurePairs(
    ROUNDS,
    () => timed(() => lockOnce(node)),
    () => timed(() => twoTransactions(kv, lease.id)),
  );
  kv.close();
  const line = ratioLine(`acquire + release / two transactions, ${members} of etcd`, pairs, 1.3);
  return { ...line, beside: inMicroseconds(pairs) };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  for (let call = 0; call < CALLS; call += 1) await work();
  return (performance.now() - begun) / CALLS;
}

async function lockOnce({ locks }: Awaited<ReturnType<ReturnType<typeof nodesOnEtcd>['open']>>): Promise<void> {
  await using lease = await locks.acquire('vg0', never);
  lease.leave('a mark as LVM’s header makes one: 4096 bytes into the device');
}

/** The least that puts a key on a lease and a record beside it, if nobody has it, and takes both away if they are ours. */
async function twoTransactions(kv: Kv, lease: string): Promise<void> {
  const [lock, record] = [{ key: '/bare/lock' }, { key: '/bare/record' }];
  await kv.txn({
    when: [
      { ...lock, is: 'absent' },
      { ...record, is: 'absent' },
    ],
    act: [{ put: { ...lock, value: 'x', lease } }, { put: { ...record, value: 'x' } }],
    otherwise: [],
  });
  await kv.txn({
    when: [{ ...record, value: 'x' }],
    act: [{ remove: lock }, { remove: record }],
    otherwise: [],
  });
}

function inMicroseconds({ ours, bare }: Pairs) {
  const microseconds = (numbers: readonly number[]) => Math.round(median(numbers) * 1000);
  return { 'ours (µs)': microseconds(ours), 'bare (µs)': microseconds(bare), pairs: ours.length };
}
