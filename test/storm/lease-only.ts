// A control, not a lock: what most would build on etcd. A key on a lease, given to the next one as soon as the lease has
// run out, whether or not its holder still writes. It keeps all other promises: it proves, and passes marks on.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { definePlugin, type Lease, Locks, v } from 'sltv';
import { createEtcdKv } from '../../plugins/etcd-lock/etcd-kv.ts';
import type { Kv } from '../../plugins/etcd-lock/kv.ts';

export default definePlugin({
  name: 'lease-only',
  api: 1,
  options: v.strictObject({ endpoints: v.array(v.string()), ttl: v.number() }),
  provides: { locks: Locks },
  async setup({ options: { endpoints, ttl }, defer, signal }) {
    const kv = await createEtcdKv({ endpoints });
    defer(() => kv.close());
    return { provides: { locks: createLocks(kv, ttl, signal) } };
  },
});

function createLocks(kv: Kv, ttl: number, stopped: AbortSignal): Locks {
  let latest = 0n;
  return {
    domain: 'etcd/lease-only',
    async acquire(name, signal) {
      const waiting = AbortSignal.any([signal, stopped]);
      const keys = { lock: { key: `/lease-only/lock/${name}` }, mark: { key: `/lease-only/mark/${name}` } };
      const value = randomUUID();
      const { id } = await kv.grant(ttl);
      for (;;) {
        waiting.throwIfAborted();
        await kv.keepAlive(id);
        const { holds, found } = await kv.txn({
          when: [{ ...keys.lock, is: 'absent' }],
          act: [{ put: { key: keys.lock.key, value, lease: id } }, { get: keys.mark }],
          otherwise: [],
        });
        latest += 1n;
        if (holds) return leaseOf({ kv, id, ttl, keys, value, token: latest, mark: found.flat()[0]?.value });
        await sleep(50, undefined, { signal: waiting });
      }
    },
  };
}

interface Held {
  readonly kv: Kv;
  readonly id: string;
  readonly ttl: number;
  readonly keys: Readonly<Record<'lock' | 'mark', { readonly key: string }>>;
  readonly value: string;
  readonly token: bigint;
  readonly mark: string | undefined;
}

function leaseOf({ kv, id, ttl, keys, value, token, mark }: Held): Lease {
  const lost = new AbortController();
  const isMine = [{ ...keys.lock, value }];
  let left = mark;
  const keeping = setInterval(
    async () => {
      const kept = await kv.keepAlive(id).catch(() => undefined);
      if (kept?.ttl === 0) lost.abort(new Error('the lease has run out'));
    },
    (ttl * 1000) / 3,
  );
  return {
    token,
    lost: lost.signal,
    remaining: () => (lost.signal.aborted ? 0 : 1),
    async prove() {
      if (!(await kv.txn({ when: isMine, act: [], otherwise: [] })).holds) throw new Error('the lease has run out');
    },
    handover: { mark, isOrderly: true },
    leave(next) {
      left = next;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(keeping);
      const marks = left === undefined ? [] : [{ put: { key: keys.mark.key, value: left } }];
      await kv.txn({ when: isMine, act: [...marks, { remove: keys.lock }], otherwise: [] });
      await kv.revoke(id);
    },
  };
}
