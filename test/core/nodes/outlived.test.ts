import * as assert from 'uvu/assert';
import type { Hosts } from '../disks/hosts.ts';
import { call } from '../disks/house.ts';
import { attach, beside, create, onHosts } from './trial.ts';

const test = onHosts('a node that was fenced and lives');

/** n1 runs web with d, and db, which is none of ours; it is fenced all the same, and n2 has d by now. */
async function outlive(hosts: Hosts, whenFenced: 'destroy' | 'alarm') {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = beside(one, { whenFenced });
  await create(first);
  await attach(first, 'web');
  one.vms.db.state = 'running';
  one.vms.db.disks.push({
    target: 'vda',
    path: '/dev/sda',
    format: 'raw',
    readOnly: false,
    live: true,
    persistent: true,
  });
  hosts.cluster.silent.add('n1');
  const second = beside(two);
  await second.nodes.fence({ node: 'n1', confirmed: true, byHand: false }, call());
  return { one, two, first, second };
}

test('as long as nobody else has its disks its guests run on, and it is said', async (hosts) => {
  const { one, first } = await outlive(hosts, 'destroy');
  // Nothing was taken from it yet: the note alone, which it reads without the cluster.
  await first.round();
  assert.is(one.vms.web.state, 'running');
  assert.match(first.nodes.health().alarms.join(), 'this node, n1, was fenced and lives');
});

test('guests whose disk another may have are ended, and no others', async (hosts) => {
  const { one, two, first, second } = await outlive(hosts, 'destroy');
  await second.daemon.reconcile();
  assert.is(hosts.notes('d').on, undefined);
  await first.round();
  assert.equal([one.vms.web.state, one.vms.db.state], ['off', 'running']);
  await two.hook('starting', two.vms.web, { paths: [two.path('d')] });
  assert.equal(hosts.notes('d').on, ['n2/n2-b1']);
  await one.world.reboot();
});

test('guests whose disk is gone from its pool are ended', async (hosts) => {
  const { one, first, second } = await outlive(hosts, 'destroy');
  await create(second, 'other');
  hosts.pools.pools.get('mem')?.delete('d');
  await first.round();
  assert.is(one.vms.web.state, 'off');
  await one.world.reboot();
});

test('where the config says so they are only told of, with the command', async (hosts) => {
  const { one, first, second } = await outlive(hosts, 'alarm');
  await second.daemon.reconcile();
  await first.round();
  assert.is(one.vms.web.state, 'running');
  assert.match(first.nodes.health().alarms.join(), 'virsh destroy web');
});

test('a node that was not fenced ends nothing, in reach of the cluster or not', async (hosts) => {
  const one = hosts.host('n1');
  const first = beside(one);
  await create(first);
  await attach(first, 'web');
  await first.round();
  hosts.cluster.silent.add('n1');
  await first.round();
  assert.is(one.vms.web.state, 'running');
  assert.equal(first.nodes.health().alarms, []);
});

test.run();
