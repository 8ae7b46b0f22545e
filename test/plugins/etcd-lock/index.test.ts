// The plugin as a config has it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'valibot';
import { Cluster } from '../../../core/capabilities/cluster.ts';
import { Locks } from '../../../core/capabilities/locks.ts';
import { asSltvError } from '../../../core/errors.ts';
import etcdLock from '../../../plugins/etcd-lock/index.ts';
import { EtcdLockOptions, endpointsFrom, isClusterWanted, passwordOf } from '../../../plugins/etcd-lock/settings.ts';
import { startEtcd } from '../../fixtures/etcd.ts';
import { bootOne } from '../../fixtures/one-plugin.ts';

const never = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'sltv-plugin-'));
const etcd = await startEtcd();
test.after(async () => {
  await etcd[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const nodeIn = (name: string) => ({
  ...{ id: name, machineId: name, bootId: 'b1', runDir: join(folder, 'run') },
  stateDir: mkdtempSync(join(folder, name)),
});
const plugin = (prefix: string) => etcdLock({ endpoints: [...etcd.endpoints], prefix, ttl: 2 });

test('it provides locks and a cluster, whose domain every node has alike', async () => {
  const [one, two] = [await bootOne(plugin('/p/'), nodeIn('n1')), await bootOne(plugin('/p/'), nodeIn('n2'))];
  const [locks, others] = [one.provided(Locks), two.provided(Locks)];
  assert.match(locks?.domain ?? '', /^etcd\//);
  assert.is(locks?.domain, others?.domain);
  assert.equal(await one.provided(Cluster)?.members(never), []);
  await one.stop();
  await two.stop();
});

test('when the daemon stops, leases are lost, nobody is served any more, and what is given back is given back', async () => {
  const node = nodeIn('n3');
  const daemon = await bootOne(plugin('/s/'), node);
  const locks = daemon.provided(Locks);
  const lease = await locks?.acquire('a', never);
  const waiting = locks?.acquire('a', never).catch(asSltvError);
  lease?.leave('the last word');
  // As a command does that ends after the daemon was told to stop.
  lease?.lost.addEventListener('abort', () => void lease[Symbol.asyncDispose]());
  await daemon.stop();
  assert.is(lease?.lost.aborted, true);
  assert.is(lease?.remaining(), 0);
  assert.equal(await waiting?.then((error) => 'kind' in error && error.kind), 'cancelled');
  assert.is(
    await locks?.acquire('b', never).then(
      () => 'given',
      (error: Error) => error.name,
    ),
    'AbortError',
  );
  assert.is(await etcd.ctl('get', '--prefix', '/s/lock/'), '');
  assert.is(await etcd.ctl('get', '--prefix', '/s/session/'), '');
  const later = await bootOne(plugin('/s/'), node);
  const next = await later.provided(Locks)?.acquire('a', never);
  assert.equal(next?.handover, { mark: 'the last word', isOrderly: true });
  await next?.[Symbol.asyncDispose]();
  await later.stop();
});

test('everything has a default', () => {
  assert.equal(parse(EtcdLockOptions, {}), { endpoints: ['http://127.0.0.1:2379'], prefix: '/sltv/', ttl: 10 });
});

for (const [fact, options, problem] of [
  ['no endpoint', { endpoints: [] }, /at least one/],
  ['an endpoint without a port', { endpoints: ['https://10.0.0.5'] }, /HOST:PORT/],
  ['a prefix that is no folder', { prefix: '/sltv' }, /begins and ends/],
  ['no prefix at all', { prefix: '/' }, /begins and ends/],
  ['a lease that etcd would not grant', { ttl: 1 }, /at least 2/],
  ['a relative path', { tls: { ca: 'ca.pem' } }, /absolute/],
  ['a misspelt option', { endpoint: ['x:1'] }, /endpoint/],
] as const) {
  test(`${fact} is refused`, () => {
    assert.throws(() => parse(EtcdLockOptions, options), problem);
  });
}

test('hosts by name, by IPv4 and by IPv6 are endpoints', () => {
  for (const endpoint of ['etcd-1.example:2379', 'http://10.0.0.5:2379', 'https://[fe80::1]:2379']) {
    assert.equal(parse(EtcdLockOptions, { endpoints: [endpoint] }).endpoints, [endpoint]);
  }
});

test('a password in a file loses its line’s end, and nothing else', async () => {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, ' a b \n');
  assert.is(await passwordOf(parse(EtcdLockOptions, { passwordFile })), ' a b ');
  assert.is(await passwordOf(parse(EtcdLockOptions, { password: 'x' })), 'x');
  const error = await passwordOf(parse(EtcdLockOptions, { passwordFile: '/nowhere' })).catch(asSltvError);
  assert.is(typeof error === 'object' && error.code, 'etcd-lock/bad-file');
});

test('the environment’s endpoints stand with commas between them', () => {
  assert.equal(endpointsFrom('a:1, https://b:2'), { endpoints: ['a:1', 'https://b:2'] });
});

test('an environment that wants no cluster contradicts the config', () => {
  assert.equal(isClusterWanted('true'), {});
  assert.throws(() => isClusterWanted('false'), /localLock/);
});

test.run();
