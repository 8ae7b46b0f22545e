import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Measured } from '../../../core/capabilities/metrics.ts';
import type { Event } from '../../../core/kernel/capability.ts';
import { measured, metricsOf } from '../../../plugins/etcd-lock/metrics.ts';
import { nodesInMemory } from '../../fixtures/etcd-nodes.ts';
import { createMemoryStore } from '../../fixtures/memory-kv.ts';

const never = new AbortController().signal;
type Told = typeof Measured extends Event<infer T> ? T : never;

async function values(source: ReturnType<typeof metricsOf>) {
  return Object.fromEntries((await source.collect(never)).map(({ name, samples }) => [name, samples[0]?.value]));
}

test('etcd that is out of reach, halted locks, and holders who don’t answer are told', async () => {
  const told = (state: 'unreachable' | 'halted' | undefined) =>
    values(
      metricsOf({
        cluster: {
          trouble: () => state && { state, because: 'a reason', since: new Date() },
          silent: () => [{ lock: 'vg/x', node: 'n2', boot: 'b', since: new Date() }],
        },
        session: { losses: () => 3 },
        certificates: [],
      }),
    );
  const all = { sltv_etcd_leases_lost_total: 3, sltv_etcd_silent_holders: 1 };
  assert.equal(await told(undefined), { ...all, sltv_etcd_up: 1, sltv_etcd_halted: 0 });
  assert.equal(await told('unreachable'), { ...all, sltv_etcd_up: 0, sltv_etcd_halted: 0 });
  assert.equal(await told('halted'), { ...all, sltv_etcd_up: 1, sltv_etcd_halted: 1 });
});

test('a lease that etcd does not know any more is counted as lost', async () => {
  const store = createMemoryStore();
  await using nodes = nodesInMemory(store);
  const node = await nodes.open();
  {
    await using _lease = await node.locks.acquire('a', never);
  }
  assert.is((await values(node.metrics)).sltv_etcd_leases_lost_total, 0);
  const lease = await node.locks.acquire('a', never);
  await node.crash();
  await new Promise<void>((lost) => {
    if (lease.lost.aborted) lost();
    lease.lost.addEventListener('abort', () => lost());
  });
  assert.is((await values(node.metrics)).sltv_etcd_leases_lost_total, 1);
});

test('every request is measured, by what it was and whether it was answered', async () => {
  const told: Told[] = [];
  const kv = measured(createMemoryStore().open(), (_event, what) => told.push(what as Told));
  const { id } = await kv.grant(5);
  await kv.keepAlive(id);
  await kv.revoke(id);
  await kv
    .txn({ when: [], act: [{ put: { key: 'a', value: 'b', lease: id } }], otherwise: [] })
    .catch(() => 'the lease is gone');
  assert.equal(
    told.map(({ labels }) => [labels?.request, labels?.result]),
    [
      ['grant', 'ok'],
      ['keepalive', 'ok'],
      ['revoke', 'ok'],
      ['txn', 'error'],
    ],
  );
});

test.run();
