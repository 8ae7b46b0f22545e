// Nodes and the cluster, through the API.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SltvError } from '../../../core/errors.ts';
import { memoryCluster, memoryClusterWorld } from '../../fixtures/memory-cluster.ts';
import { startTrial } from './trial.ts';

const test = suite('nodes through the API');

const failure = async (work: Promise<unknown>): Promise<SltvError> =>
  await work.then(
    () => assert.unreachable('it should have been refused'),
    (error) => error,
  );

/** A daemon of n1 beside n2, which is silent. */
async function two() {
  const world = memoryClusterWorld();
  const cluster = memoryCluster(world, { node: 'n1', boot: 'b1' });
  cluster.join({ version: 'as it joined', format: 1, addresses: [] });
  memoryCluster(world, { node: 'n2', boot: 'x1' }).join({ version: '0.9', format: 1, addresses: ['n2:7000'] });
  const trial = await startTrial({ cluster });
  return { world, trial, client: trial.client() };
}

test('nodes are listed with what they are and what is odd about them', async () => {
  const { trial, client } = await two();
  await using _trial = trial;
  const nodes = await client.nodes.list();
  assert.equal(
    nodes.map(({ name, boot, version, addresses, self, up, fenced }) => [
      name,
      boot,
      version,
      addresses,
      self,
      up,
      fenced,
    ]),
    [
      ['n1', 'b1', '1.2.3', [], true, true, false],
      ['n2', 'x1', '0.9', ['n2:7000'], false, false, false],
    ],
  );
});

test('a node is fenced and retired, and a word that nobody gave is asked for', async () => {
  const { world, trial, client } = await two();
  await using _trial = trial;
  assert.is((await failure(client.nodes.fence({ name: 'n2' }))).code, 'core/fence-unproven');
  const fenced = await client.nodes.fence({ name: 'n2', confirmed: true });
  assert.equal([fenced.name, fenced.fenced], ['n2', true]);
  assert.ok(world.over.has('n2/x1'));
  await client.nodes.retire({ name: 'n2' });
  assert.is((await failure(client.nodes.retire({ name: 'n2' }))).kind, 'not-found');
});

test('the cluster is told as it is: who is silent, what is fenced, why nothing is written', async () => {
  const { world, trial, client } = await two();
  await using _trial = trial;
  world.trouble = { state: 'halted', because: 'etcd is empty', since: new Date() };
  await client.nodes.fence({ name: 'n2', confirmed: true });
  const status = await client.sltv.getClusterStatus();
  assert.equal([status.enabled, status.leader], [true, '']);
  assert.equal([status.trouble, status.troubleState], ['etcd is empty', 'halted']);
  assert.equal(
    status.nodes.map(({ nodeId, up, fenced, clusterEnabled }) => [nodeId, up, fenced, clusterEnabled]),
    [
      ['n1', true, false, true],
      ['n2', false, true, true],
    ],
  );
  assert.equal(await client.cluster.recover(), ['n1']);
  assert.is((await client.sltv.getClusterStatus()).trouble, '');
});

test('a cluster that is out of reach hides neither this node nor its pools', async () => {
  const { world, trial, client } = await two();
  await using _trial = trial;
  world.silent.add('n1');
  const status = await client.sltv.getClusterStatus();
  assert.equal(
    status.nodes.map(({ nodeId, vgs }) => [nodeId, vgs.map(({ name }) => name)]),
    [['n1', ['mem', 'other']]],
  );
  assert.match(status.nodes[0]?.remarks.join() ?? '', 'the other nodes are not known');
});

test('pools are shared and accepted, where they can be', async () => {
  const { trial, client } = await two();
  await using _trial = trial;
  assert.is((await client.pools.share({ name: 'mem' })).shared, true);
  assert.is((await client.pools.accept({ name: 'mem' })).name, 'mem');
  assert.equal(trial.settled, ['share mem', 'accept mem']);
  assert.is((await failure(client.pools.share({ name: 'other' }))).code, 'core/unsupported');
  assert.is((await failure(client.pools.accept({ name: 'other' }))).code, 'core/unsupported');
});

test('a command runs for a pool that has tools, and its status is an answer', async () => {
  const { trial, client } = await two();
  await using _trial = trial;
  const words = ['lvm', 'vgck'];
  assert.equal(await client.pools.shell({ name: 'mem', words }), { code: 2, stdout: 'lvm vgck', stderr: 'warned' });
  assert.is((await failure(client.pools.shell({ name: 'other', words }))).code, 'core/unsupported');
});

test('without a cluster a daemon is alone, shares nothing and says so', async () => {
  await using trial = await startTrial();
  const client = trial.client();
  assert.equal(
    (await client.nodes.list()).map(({ name, version, self, up }) => [name, version, self, up]),
    [['n1', '1.2.3', true, true]],
  );
  assert.is((await failure(client.pools.share({ name: 'mem' }))).code, 'core/no-cluster');
  assert.is((await failure(client.nodes.fence({ name: 'n2', confirmed: true }))).code, 'core/no-cluster');
  assert.is((await client.sltv.getClusterStatus()).enabled, false);
});

test.run();
