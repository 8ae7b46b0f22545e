import * as assert from 'uvu/assert';
import { call, failure } from '../disks/house.ts';
import { beside, onHosts } from './trial.ts';

const test = onHosts('looking at nodes');

test('each node is listed with what it sees', async (hosts) => {
  const [first, second] = [beside(hosts.host('n1')), beside(hosts.host('n2'))];
  await first.round();
  await second.round();
  const nodes = await second.nodes.list(call());
  assert.equal(
    nodes.map(({ name, boot, isSelf, isUp, isFenced, remarks }) => [name, boot, isSelf, isUp, isFenced, remarks]),
    [
      ['n1', 'n1-b1', false, true, false, []],
      ['n2', 'n2-b1', true, true, false, []],
    ],
  );
  assert.equal(nodes[0]?.pools, [{ name: 'mem', id: 'memory:mem', trouble: undefined }]);
});

test('what is odd about a node is said: another pool of the same name, none at all, another format, a fence outlived', async (hosts) => {
  const [first, second] = [beside(hosts.host('n1')), beside(hosts.host('n2'))];
  await second.round();
  const remarks = async () => (await second.nodes.list(call()))[0]?.remarks ?? [];
  assert.equal(await remarks(), ['it does not see mem']);
  first.world.cluster?.tell([{ name: 'mem', id: 'another', trouble: undefined }]);
  assert.match((await remarks())[0] ?? '', "its mem is another pool than this node's");
  first.world.cluster?.tell([{ name: 'mem', id: 'memory:mem', trouble: 'its device is gone' }]);
  assert.equal(await remarks(), ['mem: its device is gone']);
  first.world.cluster?.join({ version: '9', format: 2, addresses: [] });
  first.world.cluster?.tell([{ name: 'mem', id: 'memory:mem' }]);
  hosts.cluster.over.set('n1/n1-b1', 'off');
  assert.equal(await remarks(), [
    'it writes format 2, and this node 1: upgrade the older of the two',
    'it was fenced and lives: reboot it',
  ]);
});

test('whom everybody waits for is said with the pool that nobody can change', async (hosts) => {
  const { nodes, round } = beside(hosts.host('n1'));
  await round();
  hosts.cluster.holders = [{ lock: 'vg/memory:mem', node: 'n2', boot: 'b1', since: new Date(0) }];
  assert.match(nodes.health().alarms.join(), 'node n2 has the lock of pool mem since 1970-01-01');
  assert.match(nodes.health().alarms.join(), 'sltv node fence n2');
});

test('a host without a cluster is alone, and what needs one says so', async (hosts) => {
  const { nodes } = beside(hosts.host('n1'), { cluster: undefined });
  assert.equal(
    (await nodes.list(call())).map(({ name }) => name),
    ['n1'],
  );
  assert.is(
    (await failure(nodes.fence({ node: 'n2', confirmed: true, byHand: false }, call()))).code,
    'core/no-cluster',
  );
  assert.is(nodes.health().hasCluster, false);
});

test.run();
