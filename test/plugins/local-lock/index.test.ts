import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Locks } from '../../../core/capabilities/locks.ts';
import localLock from '../../../plugins/local-lock/index.ts';
import { DIR_NODE } from '../../fixtures/dir-storage.ts';
import { bootOne } from '../../fixtures/one-plugin.ts';

const never = new AbortController().signal;

async function booted() {
  const daemon = await bootOne(localLock(), DIR_NODE);
  const locks = daemon.provided(Locks);
  if (!locks) throw new Error('local-lock provides no locks');
  return { daemon, locks };
}

test('the domain is this host, by its machine id', async () => {
  const { locks } = await booted();
  assert.is(locks.domain, `local/${DIR_NODE.machineId}`);
});

test('a lease can’t expire', async () => {
  const { locks } = await booted();
  const lease = await locks.acquire('a', never);
  assert.is(lease.remaining(), Number.POSITIVE_INFINITY);
});

test('leases are lost when the daemon stops, and only then', async () => {
  const { daemon, locks } = await booted();
  const lease = await locks.acquire('a', never);
  assert.is(lease.lost.aborted, false);
  await daemon.stop();
  assert.is(lease.lost.aborted, true);
  assert.is(lease.remaining(), 0);
});

test('nobody waits for a daemon that stops, and nobody gets a lock from it', async () => {
  const { daemon, locks } = await booted();
  await locks.acquire('a', never);
  const waiting = locks.acquire('a', never).catch((error: Error) => error.name);
  await daemon.stop();
  assert.is(await waiting, 'AbortError');
  assert.is(await locks.acquire('b', never).catch((error: Error) => error.name), 'AbortError');
});

test('tokens grow over restarts of the daemon', async () => {
  const { token: before } = await (await booted()).locks.acquire('a', never);
  const { token: after } = await (await booted()).locks.acquire('a', never);
  assert.ok(after > before);
});

test('there is nothing to set', async () => {
  const error = await bootOne({ ...localLock(), given: { ttl: 10 } }, DIR_NODE).catch((thrown: unknown) => thrown);
  assert.match(String(error), /ttl/);
});

test.run();
