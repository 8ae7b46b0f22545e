// What happens to a real etcd, and what becomes of locks and nodes.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lease } from '../../../core/capabilities/locks.ts';
import { asSltvError } from '../../../core/errors.ts';
import { eventually } from '../../../core/testing/cluster/nodes.ts';
import { startEtcd } from '../../fixtures/etcd.ts';
import { nodesOnEtcd, type TestNode } from '../../fixtures/etcd-nodes.ts';

const never = new AbortController().signal;
const SELF = { version: '1', format: 1, addresses: [] };
const etcd = await startEtcd();
test.after(async () => await etcd[Symbol.asyncDispose]());

const failure = (promise: Promise<unknown>) =>
  promise.then((): never => {
    throw new Error('it succeeded');
  }, asSltvError);

const holdOnce = async ({ locks }: TestNode, name: string) => {
  await (await locks.acquire(name, never))[Symbol.asyncDispose]();
};

test('a frozen etcd: acquire and prove are unavailable within seconds, and all comes back by itself', async () => {
  await using nodes = nodesOnEtcd({ ...etcd, deadline: 1_000 }, { ttl: 2 });
  const node = await nodes.open();
  node.cluster.join(SELF);
  const held = await node.locks.acquire('a', never);
  const waiting = failure(node.locks.acquire('a', never));
  etcd.freeze();
  const begun = performance.now();
  try {
    const calls = [waiting, failure(node.locks.acquire('b', never)), failure(node.cluster.members(never))];
    for (const { kind } of await Promise.all(calls)) assert.is(kind, 'unavailable');
    await eventually(async () => held.lost.aborted);
    assert.is((await failure(held.prove())).kind, 'unavailable');
    await held[Symbol.asyncDispose]();
    assert.is(node.cluster.trouble()?.state, 'unreachable');
    const seconds = (performance.now() - begun) / 1000;
    assert.ok(seconds < 8, `it took ${seconds} s`);
  } finally {
    etcd.thaw();
  }
  await eventually(async () => node.cluster.trouble() === undefined);
  await holdOnce(node, 'a');
  await eventually(async () => (await node.cluster.members(never))[0]?.isUp === true);
});

test('etcd’s history is compacted while somebody waits: he is served all the same', async () => {
  await using nodes = nodesOnEtcd(etcd);
  const [node, other] = [await nodes.open(), await nodes.open()];
  const lease = await node.locks.acquire('a', never);
  const waiting = other.locks.acquire('a', never);
  for (let round = 0; round < 3; round += 1) await holdOnce(other, 'b');
  await etcd.compact();
  await lease[Symbol.asyncDispose]();
  await (await waiting)[Symbol.asyncDispose]();
});

test('etcd is killed and comes back while somebody waits: he is told, and can try again', async () => {
  await using nodes = nodesOnEtcd(etcd, { ttl: 5 });
  const [node, other] = [await nodes.open(), await nodes.open()];
  const lease = await node.locks.acquire('a', never);
  lease.leave('kept');
  const waiting: Promise<Lease | undefined> = other.locks.acquire('a', never).catch(() => undefined);
  await etcd.kill();
  await etcd.restart();
  await lease[Symbol.asyncDispose]();
  // Within the lease's time he may not even have noticed.
  await using given = (await waiting) ?? (await other.locks.acquire('a', never));
  assert.equal(given.handover, { mark: 'kept', isOrderly: true });
});

test('a process that stood still for longer than its lease proves nothing when it goes on', async () => {
  await using nodes = nodesOnEtcd(etcd);
  const other = await nodes.open();
  const stateDir = mkdtempSync(join(tmpdir(), 'sltv-holder-'));
  const words = [
    join(import.meta.dirname, '../../fixtures/etcd-holder.ts'),
    etcd.endpoints[0] ?? '',
    nodes.prefix,
    stateDir,
    '1',
  ];
  const holder = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = createInterface(holder.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => JSON.parse((await said.next()).value ?? '{}');
  try {
    assert.is((await next()).held, true);
    holder.stdin.write('\n');
    assert.is((await next()).proven, true);
    holder.kill('SIGSTOP');
    // His lease ends while he stands still; what he holds stays his.
    const keys = `${nodes.prefix}lock/`;
    await eventually(async () => (await etcd.ctl('get', '--prefix', keys)) === '');
    assert.match(await etcd.ctl('get', '--prefix', `${nodes.prefix}record/`), /"node":"holder"/);
    holder.stdin.write('\n');
    holder.kill('SIGCONT');
    const answers = [await next(), await next()];
    assert.ok(answers.some(({ lost }) => lost === true));
    assert.ok(answers.some(({ proven }) => proven === false));
    const caller = new AbortController();
    const waiting = failure(other.locks.acquire('a', caller.signal));
    await eventually(async () => other.said.some((line) => line.includes('does not answer')));
    caller.abort();
    assert.is((await waiting).code, 'etcd-lock/gave-up');
  } finally {
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    rmSync(stateDir, { recursive: true });
  }
});

test('an emptied etcd: halted on every node, also on one that was not there, until one recovers it', async () => {
  await using nodes = nodesOnEtcd(etcd);
  const [a, b, away] = [await nodes.open(), await nodes.open(), await nodes.open({ id: 'away' })];
  for (const node of [a, b]) node.cluster.join(SELF);
  await holdOnce(away, 'a');
  await away.crash();
  await holdOnce(a, 'a');
  await etcd.restore();
  for (const node of [a, b]) await eventually(async () => node.cluster.trouble()?.state === 'halted');
  const back = await nodes.open({ id: 'away', stateDir: away.stateDir });
  for (const node of [a, b, back]) {
    const { code, hint } = await failure(node.locks.acquire('a', never));
    assert.is(code, 'etcd-lock/halted');
    assert.match(hint ?? '', /cluster recover/);
  }
  // They still speak with each other, which recovery rests on.
  await eventually(async () => (await a.cluster.members(never)).filter(({ isUp }) => isUp).length === 2);
  await a.cluster.recover(never);
  for (const node of [a, b, back]) await holdOnce(node, 'a');
  assert.is(a.cluster.trouble(), undefined);
});

test('a restored etcd that has gone on since is recognized by what a node wrote itself', async () => {
  await using nodes = nodesOnEtcd(etcd);
  const [a, b] = [await nodes.open({ id: 'a' }), await nodes.open({ id: 'b' })];
  a.cluster.join(SELF);
  await eventually(async () => (await b.cluster.members(never))[0]?.isUp === true);
  const snapshot = await etcd.snapshot();
  a.cluster.tell([{ name: 'vg0', id: 'x' }]);
  await eventually(async () => (await b.cluster.members(never))[0]?.pools.length === 1);
  await Promise.all([a.crash(), b.crash()]);
  await etcd.restore(snapshot);
  // Enough that no revision is below what was seen.
  await etcd.ctl('put', 'other', '1');
  for (let round = 0; round < 20; round += 1) await etcd.ctl('put', 'other', String(round));
  const back = await nodes.open({ id: 'a', stateDir: a.stateDir });
  // Until then the restored etcd shows it in its earlier boot.
  const refusal = async () => await failure(back.locks.acquire('a', never));
  await eventually(async () => (await refusal()).code === 'etcd-lock/halted');
  assert.match((await refusal()).message, /what this node wrote at revision \d+ is not there/);
});

test('an etcd that is another cluster’s is refused and left as it is', async () => {
  await using nodes = nodesOnEtcd(etcd);
  await using others = nodesOnEtcd(etcd);
  const [node, other] = [await nodes.open(), await others.open()];
  const strange = await nodes.open({ stateDir: other.stateDir });
  const { code, message } = await failure(strange.locks.acquire('a', never));
  assert.is(code, 'etcd-lock/halted');
  assert.match(message, /another cluster/);
  await holdOnce(node, 'a');
  assert.is(await etcd.ctl('get', `${nodes.prefix}meta/halted`), '');
});

test('a node that has been a member is set up without etcd, and a first start says that it needs it', async () => {
  await using nodes = nodesOnEtcd(etcd);
  const known = await nodes.open();
  await etcd.kill();
  try {
    const node = await nodes.open({ stateDir: known.stateDir });
    assert.is(node.locks.domain, known.locks.domain);
    assert.is((await failure(node.locks.acquire('a', never))).code, 'etcd-lock/unreachable');
    const error = await failure(nodes.open());
    assert.equal([error.kind, error.code], ['unavailable', 'etcd-lock/first-start']);
  } finally {
    await etcd.restart();
  }
});

test('a fresh prefix is a cluster of its own', async () => {
  await using nodes = nodesOnEtcd(etcd);
  await using others = nodesOnEtcd(etcd);
  const [one, two] = [await nodes.open(), await others.open()];
  assert.is.not(one.locks.domain, two.locks.domain);
  await using _lease = await one.locks.acquire('a', never);
  await holdOnce(two, 'a');
  assert.match(one.locks.domain, /^etcd\/[0-9a-f-]{36}$/);
  assert.ok(randomUUID() !== one.locks.domain);
});

test.run();
