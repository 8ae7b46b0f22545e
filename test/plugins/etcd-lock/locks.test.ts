// The protocol at work: several nodes over one store in memory, where every call can be counted, delayed and cut off.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lease } from '../../../core/capabilities/locks.ts';
import { asSltvError } from '../../../core/errors.ts';
import { eventually } from '../../../core/testing/cluster/nodes.ts';
import { keysUnder } from '../../../plugins/etcd-lock/keys.ts';
import type { Keys, Op } from '../../../plugins/etcd-lock/kv.ts';
import { startOf } from '../../../plugins/etcd-lock/processes.ts';
import { Held, Mark, read, written } from '../../../plugins/etcd-lock/stored.ts';
import { nodesInMemory, type TestNode } from '../../fixtures/etcd-nodes.ts';
import { createMemoryStore, type MemoryClient } from '../../fixtures/memory-kv.ts';

const never = new AbortController().signal;

async function world() {
  const store = createMemoryStore();
  const nodes = nodesInMemory(store);
  const keys = keysUnder(nodes.prefix);
  const entry = (key: string) => store.entries().find((each) => each.key === key);
  return {
    ...{ store, nodes, keys, entry },
    open: nodes.open,
    waiters: (name: string) => store.entries().filter(({ key }) => key.startsWith(keys.waiters(name).key)).length,
    record: (name: string) => read(Held, entry(keys.record(name))),
    mark: (name: string) => read(Mark, entry(keys.mark(name))),
    [Symbol.asyncDispose]: async () => await nodes[Symbol.asyncDispose](),
  };
}

/** Holds it once, so that a session and the mark are there. */
const warm = async (
  { locks }: { locks: { acquire(name: string, signal: AbortSignal): Promise<Lease> } },
  name: string,
) => {
  await (await locks.acquire(name, never))[Symbol.asyncDispose]();
};

const putsIn =
  ({ key }: Keys) =>
  (op: Op) =>
    'put' in op && op.put.key.startsWith(key);

const failure = (promise: Promise<unknown>) =>
  promise.then((): never => {
    throw new Error('it succeeded');
  }, asSltvError);

test('a free lock is one transaction, and giving it back is another', async () => {
  await using made = await world();
  const node = await made.open();
  await warm(node, 'a');
  // The look that a watch begins with.
  await eventually(async () => node.kv.asked.length > 0);
  const before = node.kv.asked.length;
  const lease = await node.locks.acquire('a', never);
  assert.is(node.kv.asked.length - before, 1);
  lease.leave('mark');
  await lease[Symbol.asyncDispose]();
  assert.is(node.kv.asked.length - before, 2);
});

test('a record says who may be writing, and stands until the lock is given back', async () => {
  await using made = await world();
  const node = await made.open();
  const lease = await node.locks.acquire('a', never, 'vg-a');
  const facts = made.record('a');
  assert.ok(facts);
  assert.is(facts.node, node.id);
  assert.is(facts.boot, node.boot);
  assert.is(facts.pid, process.pid);
  assert.is(facts.started, await startOf(process.pid));
  assert.is(facts.token, lease.token);
  assert.is(facts.children, 'vg-a');
  await lease[Symbol.asyncDispose]();
  assert.is(made.record('a'), undefined);
  assert.is(made.mark('a')?.token, lease.token);
});

test('when a lock is given back, only the first in line asks for it', async () => {
  await using made = await world();
  const holder = await made.open();
  const others = [await made.open(), await made.open(), await made.open()];
  for (const node of others) await warm(node, 'b');
  const lease = await holder.locks.acquire('a', never);
  const served: Promise<Lease>[] = [];
  for (const [index, node] of others.entries()) {
    served.push(node.locks.acquire('a', never));
    await eventually(async () => made.waiters('a') === index + 1);
  }
  // Each has looked once more after its watch began.
  await warm(holder, 'settle');
  await warm(holder, 'settle');
  const asked = () => others.map(({ kv }) => kv.asked.length);
  const before = asked();
  await lease[Symbol.asyncDispose]();
  const winner = await served[0];
  const [first = 0, second, third] = asked().map((now, index) => now - (before[index] ?? 0));
  assert.ok(first > 0);
  // The one behind is told that the first has left the line.
  assert.ok((second ?? 0) <= 1, `the second asked ${second} times`);
  assert.is(third, 0, 'the last was told, too');
  await winner?.[Symbol.asyncDispose]();
  for (const next of served.slice(1)) await (await next)[Symbol.asyncDispose]();
});

test('a lock that is free is not taken past somebody who waits for it', async () => {
  await using made = await world();
  const node = await made.open();
  await warm(node, 'a');
  const kv = made.store.open();
  const key = made.keys.waiter('a', 'who was there before');
  await kv.txn({ when: [], act: [{ put: { key, value: 'far' } }], otherwise: [] });
  let isServed = false;
  const waiting = node.locks.acquire('a', never).then((lease) => {
    isServed = true;
    return lease;
  });
  await eventually(async () => made.waiters('a') === 2);
  await warm(node, 'settle');
  assert.is(isServed, false);
  await kv.txn({ when: [], act: [{ remove: { key } }], otherwise: [] });
  await (await waiting)[Symbol.asyncDispose]();
});

test('an attempt without answer that is carried out later takes no lock', async () => {
  await using made = await world();
  const [node, other] = [await made.open(), await made.open()];
  await warm(node, 'a');
  const carryOut = node.kv.delay(putsIn(made.keys.locks));
  const lease = await node.locks.acquire('a', never);
  await lease[Symbol.asyncDispose]();
  carryOut();
  assert.is(made.record('a'), undefined, 'a lock was taken that nobody asks for any more');
  await warm(other, 'a');
});

test('an attempt that succeeded without an answer is the holder’s', async () => {
  await using made = await world();
  const node = await made.open();
  await warm(node, 'a');
  const carryOut = node.kv.delay(putsIn(made.keys.locks));
  const pending = node.locks.acquire('a', never);
  carryOut();
  const lease = await pending;
  assert.is(made.record('a')?.token, lease.token);
  await lease[Symbol.asyncDispose]();
  assert.is(made.record('a'), undefined);
});

test('a place in the line that was asked for without answer is nobody’s when it comes later', async () => {
  await using made = await world();
  const [node, other] = [await made.open(), await made.open()];
  await warm(node, 'b');
  const lease = await other.locks.acquire('a', never);
  const carryOut = node.kv.delay(putsIn(made.keys.waiters('a')));
  assert.is((await failure(node.locks.acquire('a', never))).kind, 'unavailable');
  await lease[Symbol.asyncDispose]();
  await warm(node, 'a');
  carryOut();
  assert.is(made.waiters('a'), 0, 'somebody stands in the line who has left it');
  await warm(other, 'a');
});

test('giving back is repeated until it is heard, and this process waits for it', async () => {
  await using made = await world();
  const node = await made.open();
  const lease = await node.locks.acquire('a', never);
  lease.leave('mine');
  node.kv.delay(putsIn(made.keys.marks));
  const returned = lease[Symbol.asyncDispose]();
  await using again = await node.locks.acquire('a', never);
  assert.equal(again.handover, { mark: 'mine', isOrderly: true });
  await returned;
});

test('a lease that is lost while its holder works keeps everybody out until he is done', async () => {
  await using made = await world();
  const [node, other] = [await made.open(), await made.open()];
  node.cluster.join({ version: '1', format: 1, addresses: [] });
  const lease = await node.locks.acquire('a', never);
  lease.leave('before');
  const lost = once(lease.lost, 'abort');
  for (const id of node.kv.leases) made.store.expire(id);
  await lost;
  assert.is((await failure(lease.prove())).kind, 'unavailable');
  assert.is(lease.remaining(), 0);
  let isServed = false;
  const waiting = other.locks.acquire('a', never).then((given) => {
    isServed = true;
    return given;
  });
  const ownWaiting = node.locks.acquire('a', never);
  await eventually(async () => made.waiters('a') === 2);
  await warm(other, 'settle');
  assert.is(isServed, false, 'a lock was given away while its holder was at work');
  lease.leave('after');
  await lease[Symbol.asyncDispose]();
  const first = await Promise.race([waiting, ownWaiting]);
  assert.equal(first.handover, { mark: 'after', isOrderly: true });
  await first[Symbol.asyncDispose]();
  for (const given of [await waiting, await ownWaiting]) await given[Symbol.asyncDispose]();
});

/** The record that a process of that node leaves behind, without its lease. */
async function leaveRecord(
  made: Awaited<ReturnType<typeof world>>,
  by: { id: string; boot: string },
  pid: number,
  children?: string,
) {
  const value = written({
    ...{ node: by.id, boot: by.boot, instance: 'of another process', attempt: 1, children },
    ...{ pid, started: (await startOf(pid)) ?? '', token: 7n, since: new Date('2026-01-02T03:04:05Z') },
  });
  const [act, kv] = [[{ put: { key: made.keys.record('a'), value } }], made.store.open()];
  await kv.txn({ when: [], act, otherwise: [] });
}

async function child() {
  const started = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(started, 'spawn');
  return {
    pid: started.pid ?? 0,
    async [Symbol.asyncDispose]() {
      started.kill('SIGKILL');
      if (started.exitCode === null && started.signalCode === null) await once(started, 'exit');
    },
  };
}

test('a process of this boot that has ended is followed, after its last command, and not in order', async () => {
  await using made = await world();
  const quiet = Promise.withResolvers<void>();
  const asked: string[] = [];
  const node = await made.open({
    async quiet(lock) {
      asked.push(lock);
      await quiet.promise;
    },
  });
  await using living = await child();
  await leaveRecord(made, node, living.pid, 'vg-a');
  const pending = node.locks.acquire('a', never);
  await eventually(async () => made.waiters('a') === 1);
  await warm(node, 'settle');
  assert.equal(asked, [], 'a living process was taken for a dead one');
  await living[Symbol.asyncDispose]();
  await eventually(async () => asked.length > 0);
  assert.equal(asked[0], 'vg-a');
  assert.is(made.record('a')?.token, 7n, 'the lock was cleared while a command may be writing');
  quiet.resolve();
  await using lease = await pending;
  assert.is(lease.handover?.isOrderly, false);
  assert.ok(lease.token > 7n);
});

test('a node is asked about a process of its own that has ended, and clears what it left', async () => {
  await using made = await world();
  const [node, other] = [await made.open(), await made.open()];
  node.cluster.join({ version: '1', format: 1, addresses: [] });
  await eventually(async () => made.entry(made.keys.node(node.id)) !== undefined);
  const ended = await child();
  await leaveRecord(made, node, ended.pid);
  await ended[Symbol.asyncDispose]();
  await using lease = await other.locks.acquire('a', never);
  assert.is(lease.handover?.isOrderly, false);
  assert.match(node.said.join('\n'), /taken over/);
});

test('who waits for a node that is silent says so once, and when he leaves, for whom he waited', async () => {
  await using made = await world();
  const node = await made.open();
  await leaveRecord(made, { id: 'far', boot: 'b1' }, 1);
  const caller = new AbortController();
  const pending = failure(node.locks.acquire('a', caller.signal));
  const warnings = () => node.said.filter((line) => line.includes('does not answer'));
  await eventually(async () => warnings().length > 0);
  const since = new Date('2026-01-02T03:04:05.000Z');
  assert.equal(node.cluster.silent(), [{ lock: 'a', node: 'far', boot: 'b1', since }]);
  // It is looked at again, more than once, before he leaves.
  const looked = node.kv.asked.length;
  await eventually(async () => node.kv.asked.length > looked + 3);
  caller.abort();
  const { kind, code, message, hint } = await pending;
  assert.equal([kind, code], ['cancelled', 'etcd-lock/gave-up']);
  assert.match(message, /^far has the lock a since 2026-01-02T03:04:05.000Z/);
  assert.match(hint ?? '', /sltv node fence far/);
  assert.is(warnings().length, 1);
  assert.match(warnings()[0] ?? '', /node=far/);
  await eventually(async () => made.waiters('a') === 0);
  assert.equal(node.cluster.silent(), []);
});

test('a boot that is over is followed as soon as it is declared', async () => {
  await using made = await world();
  const node = await made.open();
  await leaveRecord(made, { id: 'far', boot: 'b1' }, 1);
  const pending = node.locks.acquire('a', never);
  await eventually(async () => made.waiters('a') === 1);
  await node.cluster.declareOver({ node: 'far', boot: 'b1' }, 'it burned down', never);
  await using lease = await pending;
  assert.equal(lease.handover, { mark: undefined, isOrderly: false });
});

test('a copy of a host, by its name and machine id, gets nowhere while the other lives, and clears nothing', async () => {
  await using made = await world();
  const host = { id: 'n', machineId: 'm' };
  const original = await made.open(host);
  original.cluster.join({ version: '1', format: 1, addresses: [] });
  await using lease = await original.locks.acquire('a', never);
  const copy = await made.open(host);
  const error = await failure(copy.locks.acquire('a', never));
  assert.equal([error.kind, error.code], ['unavailable', 'etcd-lock/earlier-boot']);
  assert.is(made.record('a')?.token, lease.token);
  assert.is(await original.cluster.isOver({ node: 'n', boot: original.boot }, never), false);
});

test('another host of the same name is refused, and says so', async () => {
  await using made = await world();
  const original = await made.open({ id: 'n', machineId: 'm1' });
  await warm(original, 'a');
  const other = await made.open({ id: 'n', machineId: 'm2' });
  const error = await failure(other.locks.acquire('a', never));
  assert.equal([error.kind, error.code], ['refused', 'etcd-lock/name-taken']);
  other.cluster.join({ version: '1', format: 1, addresses: [] });
  await eventually(async () => other.cluster.trouble()?.state === 'halted');
  assert.match(other.cluster.trouble()?.because ?? '', /another host is called n/);
  assert.match(other.said.join('\n'), /another host is called n/);
  assert.equal(await original.cluster.members(never), []);
});

test('an answer that comes late is compared with what was known when it was asked for', async () => {
  await using made = await world();
  const node = await made.open();
  node.cluster.join({ version: '1', format: 1, addresses: [] });
  await warm(node, 'a');
  await warm(node, 'settle');
  const looks = (op: Op) => 'get' in op && op.get.key === made.keys.cluster;
  const asked = () => node.kv.asked.filter(({ act }) => act.some(looks)).length;
  const before = asked();
  const release = node.kv.holdAnswer(looks);
  // Its watches ring, and it looks whether the store is as it was.
  node.kv.setReachable(true);
  await eventually(async () => asked() > before);
  await warm(node, 'a');
  release();
  await warm(node, 'settle');
  assert.is(node.cluster.trouble(), undefined);
  assert.is(made.entry(made.keys.halted), undefined, 'a store that forgot nothing was halted');
});

/** Puts the store back to what it was before `work`, and lets it go on, while nobody looks. */
async function restored(
  made: Awaited<ReturnType<typeof world>>,
  node: TestNode<MemoryClient>,
  work: () => Promise<void>,
) {
  const restore = made.store.snapshot();
  await work();
  node.kv.setReachable(false);
  restore();
  const kv = made.store.open();
  for (let round = 0; round < 50; round += 1) {
    await kv.txn({ when: [], act: [{ put: { key: 'other', value: String(round) } }], otherwise: [] });
  }
  node.kv.setReachable(true);
}

test('a store that lost the mark that a node left is recognized, though it has gone on since', async () => {
  await using made = await world();
  const node = await made.open();
  node.cluster.join({ version: '1', format: 1, addresses: [] });
  await warm(node, 'a');
  await restored(made, node, () => warm(node, 'a'));
  await eventually(async () => node.cluster.trouble()?.state === 'halted');
  assert.match(node.cluster.trouble()?.because ?? '', /what this node wrote at revision \d+ is not there/);
});

test('a lock that a restored store does not have is lost at once, though its lease goes on', async () => {
  await using made = await world();
  const node = await made.open();
  await warm(node, 'a');
  let lease: Lease | undefined;
  await restored(made, node, async () => {
    lease = await node.locks.acquire('a', never);
  });
  await eventually(async () => lease?.lost.aborted === true);
  await lease?.[Symbol.asyncDispose]();
});

test('tokens go on after the store was emptied and recovered', async () => {
  await using made = await world();
  const node = await made.open();
  node.cluster.join({ version: '1', format: 1, addresses: [] });
  const lease = await node.locks.acquire('a', never);
  made.store.empty();
  await eventually(async () => node.cluster.trouble()?.state === 'halted');
  assert.match((await failure(node.locks.acquire('a', never))).hint ?? '', /sltv cluster recover/);
  await lease[Symbol.asyncDispose]();
  await node.cluster.recover(never);
  await using after = await node.locks.acquire('a', never);
  assert.ok(after.token > lease.token, `${after.token} after ${lease.token}`);
});

/** Two members of a store that is then as it was, and recovered; `lost` is what happened in between. */
async function recovered(made: Awaited<ReturnType<typeof world>>, before: Before, lost: Before) {
  const [a, b] = [await made.open(), await made.open()];
  for (const { cluster } of [a, b]) cluster.join({ version: '1', format: 1, addresses: [] });
  for (const node of [a, b]) await warm(node, 'a');
  await before(a, b);
  const restore = made.store.snapshot();
  await lost(a, b);
  restore();
  for (const { cluster } of [a, b]) await eventually(async () => cluster.trouble()?.state === 'halted');
  await a.cluster.recover(never);
  for (const { cluster } of [a, b]) await eventually(async () => cluster.trouble() === undefined);
  return [a, b] as const;
}

type Opened = Awaited<ReturnType<Awaited<ReturnType<typeof world>>['open']>>;
type Before = (a: Opened, b: Opened) => Promise<void>;

test('who waited in the past of a restored store keeps nobody waiting once it is recovered', async () => {
  await using made = await world();
  let waiting: Promise<Lease> | undefined;
  let holding: Lease | undefined;
  const [a] = await recovered(
    made,
    async (a, b) => {
      holding = await a.locks.acquire('a', never);
      waiting = b.locks.acquire('a', never);
      await eventually(async () => made.waiters('a') === 1);
    },
    async () => {
      await holding?.[Symbol.asyncDispose]();
      await (await waiting)?.[Symbol.asyncDispose]();
    },
  );
  assert.is(made.waiters('a'), 0);
  await (await a.locks.acquire('a', AbortSignal.timeout(5_000)))[Symbol.asyncDispose]();
});

test('a mark is not taken for one that a store, before it was restored, had at the same revision', async () => {
  let met = 0;
  // Each turn at the lock is two revisions: one of the two meets the same.
  for (const isShifted of [false, true]) {
    await using made = await world();
    const markAt = () => made.entry(made.keys.mark('a'))?.mod ?? 0n;
    const leave = async ({ locks }: Opened, mark: string) => {
      await using lease = await locks.acquire('a', never);
      lease.leave(mark);
    };
    let forgotten = 0n;
    const [a, b] = await recovered(
      made,
      async () => {},
      async (one) => {
        for (let times = 0; times < 30; times += 1) await leave(one, 'what nobody knows any more');
        forgotten = markAt();
      },
    );
    if (isShifted) await b.locks.acquire('one revision', never);
    while (markAt() < forgotten) await leave(b, 'what there is');
    if (markAt() !== forgotten) continue;
    met += 1;
    await using lease = await a.locks.acquire('a', never);
    assert.is(lease.handover?.mark, 'what there is');
  }
  assert.ok(met > 0);
});

test('a lock of before a restore does not give back one that another node took after it, at the same revision', async () => {
  let met = 0;
  for (const isShifted of [false, true]) {
    await using made = await world();
    const takenAt = () => made.entry(made.keys.record('a'))?.mod ?? 0n;
    let late: Lease | undefined;
    let forgotten = 0n;
    const [, b] = await recovered(
      made,
      async () => {},
      async (one) => {
        for (let times = 0; times < 30; times += 1) await warm(one, 'a');
        late = await one.locks.acquire('a', never);
        forgotten = takenAt();
      },
    );
    if (isShifted) await b.locks.acquire('one revision', never);
    await using last = await turnAt(b, forgotten, takenAt);
    if (!last) continue;
    met += 1;
    await late?.[Symbol.asyncDispose]();
    assert.is(takenAt(), forgotten);
    await last.prove();
  }
  assert.ok(met > 0);
});

/** Takes the lock at that revision; undefined when the turns miss it. */
async function turnAt({ locks }: Opened, revision: bigint, takenAt: () => bigint): Promise<Lease | undefined> {
  for (;;) {
    const lease = await locks.acquire('a', never);
    if (takenAt() === revision) return lease;
    const isPast = takenAt() > revision;
    await lease[Symbol.asyncDispose]();
    if (isPast) return undefined;
  }
}

test.run();
