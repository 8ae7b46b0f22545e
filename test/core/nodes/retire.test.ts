import * as assert from 'uvu/assert';
import { call, failure } from '../disks/house.ts';
import { attach, beside, create, onHosts, poolNotes } from './trial.ts';

const test = onHosts('retiring');

test('a node that has a VM with a disk does not leave, and the sentence names it', async (hosts) => {
  const first = beside(hosts.host('n1'));
  await create(first);
  await attach(first, 'web');
  const error = await failure(beside(hosts.host('n2')).nodes.retire({ node: 'n1' }, call()));
  assert.is(error.code, 'core/node-in-use');
  assert.match(error.message, "mem/d is web's");
});

test('a node gives back what no VM has, and leaves when it is stopped', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await create(beside(one));
  hosts.pools.shared?.notes.set('mem', { member: ['n1', 'n2'], fenced: ['n1/old'] });
  const { nodes } = beside(two);
  const error = await failure(nodes.retire({ node: 'n1' }, call()));
  assert.is(error.code, 'core/node-up');
  assert.match(error.hint ?? '', 'systemctl disable --now sltv');
  assert.is(hosts.notes('d').on, undefined);
  await one.powerOff();
  await nodes.retire({ node: 'n1' }, call());
  assert.equal(poolNotes(hosts), { member: ['n2'] });
  assert.not.ok(hosts.cluster.lives.has('n1'));
  assert.is((await failure(nodes.retire({ node: 'n1' }, call()))).code, 'core/node-missing');
});

test('a node that is off and still named by a disk has to come back, or be fenced', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await create(beside(one));
  await one.powerOff();
  const second = beside(two);
  const error = await failure(second.nodes.retire({ node: 'n1' }, call()));
  assert.is(error.code, 'core/node-in-use');
  assert.match(error.hint ?? '', 'sltv node fence n1');
  await second.nodes.fence({ node: 'n1', confirmed: true, byHand: false }, call());
  await second.daemon.reconcile();
  await second.nodes.retire({ node: 'n1' }, call());
  assert.equal(poolNotes(hosts), {});
});

for (const how of ['fail', 'lose', 'die-before', 'die-after'] as const) {
  test(`retiring, at its commit: ${how}`, async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    beside(one);
    await one.powerOff();
    hosts.pools.shared?.notes.set('mem', { member: ['n1', 'n2'] });
    await beside(two, {}, { at: 1, how })
      .nodes.retire({ node: 'n1' }, call())
      .catch(() => undefined);
    await beside(two).nodes.retire({ node: 'n1' }, call());
    assert.equal(poolNotes(hosts), { member: ['n2'] });
    assert.not.ok(hosts.cluster.lives.has('n1'));
  });
}

test.run();
