import * as assert from 'uvu/assert';
import { NodeQuiet } from '../../../core/nodes/questions.ts';
import { beQuiet } from '../../../core/nodes/recover.ts';
import type { Host, Hosts } from '../disks/hosts.ts';
import { call, failure } from '../disks/house.ts';
import { type Beside, beside, onHosts } from './trial.ts';

const test = onHosts('recovering');
const halt = (hosts: Hosts) => {
  hosts.cluster.trouble = { state: 'halted', because: 'etcd is empty', since: new Date(Date.now() - 1000) };
};
/** A daemon that answers, as the plugin does. */
const answering = (host: Host): Beside => {
  const made = beside(host);
  made.world.cluster?.answer(NodeQuiet, async () => {
    await beQuiet(made.world, made.world.life);
    return {};
  });
  return made;
};

test('locks are given again when every node that a pool names runs no command', async (hosts) => {
  answering(hosts.host('n1'));
  const second = answering(hosts.host('n2'));
  hosts.pools.shared?.notes.set('mem', { member: ['n1', 'n2'] });
  halt(hosts);
  assert.equal(await second.nodes.recover(call()), ['n2', 'n1']);
  assert.is(second.nodes.health().trouble, undefined);
});

test('a node that does not answer is named with the command, and counts when it was fenced since', async (hosts) => {
  const one = hosts.host('n1');
  answering(one);
  const second = answering(hosts.host('n2'));
  hosts.pools.shared?.notes.set('mem', { member: ['n1', 'n2'] });
  await one.powerOff();
  halt(hosts);
  const error = await failure(second.nodes.recover(call()));
  assert.is(error.code, 'core/members-unproven');
  assert.match(error.hint ?? '', 'sltv node fence n1');
  assert.is(second.nodes.health().trouble?.state, 'halted');
  await second.nodes.fence({ node: 'n1', confirmed: true, byHand: false }, call());
  assert.equal(await second.nodes.recover(call()), ['n2']);
});

test('what a store says of an earlier fence proves nothing after it forgot', async (hosts) => {
  const one = hosts.host('n1');
  answering(one);
  const second = answering(hosts.host('n2'));
  hosts.pools.shared?.notes.set('mem', { member: ['n1', 'n2'] });
  await one.powerOff();
  hosts.cluster.over.set('n1/n1-b1', 'long ago');
  await second.round();
  halt(hosts);
  assert.is((await failure(second.nodes.recover(call()))).code, 'core/members-unproven');
  const unproven = await failure(second.nodes.fence({ node: 'n1', confirmed: false, byHand: false }, call()));
  assert.is(unproven.code, 'core/fence-unproven', 'it has to be proven anew');
});

test('where all is well there is nothing to recover', async (hosts) => {
  assert.is((await failure(answering(hosts.host('n1')).nodes.recover(call()))).kind, 'refused');
});

test.run();
