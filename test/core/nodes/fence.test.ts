import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { call, failure } from '../disks/house.ts';
import { attach, beside, create, onHosts, poolNotes } from './trial.ts';

const test = onHosts('fencing');
const WORD = { node: 'n1', confirmed: true, byHand: false };

test('a node that is off is fenced by a word: the cluster has the proof, and then the pool', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await create(beside(one));
  await one.powerOff();
  const second = beside(two);
  const view = await second.nodes.fence(WORD, call());
  assert.equal([view.name, view.isFenced], ['n1', true]);
  assert.is(hosts.cluster.over.get('n1/n1-b1'), 'test vouched that it is off');
  assert.equal(poolNotes(hosts).fenced, ['n1/n1-b1']);
  assert.equal(second.events, ['node.fenced']);
});

test('fencing twice costs no commit, tells nobody again, and needs no proof', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  beside(one);
  await one.powerOff();
  const second = beside(two);
  await second.nodes.fence(WORD, call());
  const commits = hosts.pools.commits.length;
  await second.nodes.fence({ ...WORD, confirmed: false }, call());
  assert.is(hosts.pools.commits.length, commits);
  assert.equal(second.events, ['node.fenced']);
});

test('without a word nothing is done, and the sentence says what it would end', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  beside(one);
  await one.powerOff();
  const error = await failure(beside(two).nodes.fence({ ...WORD, confirmed: false }, call()));
  assert.is(error.code, 'core/fence-unproven');
  assert.match(error.hint ?? '', 'sltv node fence n1 --yes');
  assert.is(hosts.cluster.over.size, 0);
});

test('a node that answers is not off, whatever is said of it', async (hosts) => {
  beside(hosts.host('n1'));
  const second = beside(hosts.host('n2'));
  assert.is((await failure(second.nodes.fence(WORD, call()))).code, 'core/node-up');
  assert.is((await failure(second.nodes.fence({ ...WORD, node: 'n2' }, call()))).code, 'core/node-up');
  assert.is((await failure(second.nodes.fence({ ...WORD, node: 'n9' }, call()))).code, 'core/node-missing');
});

test('every life that a disk names is over, also of a node that is no member', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await create(beside(one));
  await one.powerOff();
  hosts.cluster.lives.delete('n1');
  const second = beside(two);
  assert.ok((await second.nodes.fence(WORD, call())).isFenced);
  await attach(second, 'web');
  assert.equal(hosts.notes('d').on, ['n2/n2-b1']);
});

for (const how of ['fail', 'lose', 'die-before', 'die-after'] as const) {
  test(`a fence that did not reach the pool is ended by any daemon that comes by: ${how}`, async (hosts) => {
    const [one, two, three] = [hosts.host('n1'), hosts.host('n2'), hosts.host('n3')];
    await create(beside(one));
    await one.powerOff();
    const outcome = await failure(beside(two, {}, { at: 1, how }).nodes.fence(WORD, call()));
    if (how === 'fail')
      assert.match([outcome.code, outcome.message].join(), 'core/fence-unfinished,n1 is fenced, and mem could not');
    assert.is(hosts.cluster.over.size, 1);
    const third = beside(three);
    await third.round();
    await third.round();
    assert.equal(poolNotes(hosts).fenced, ['n1/n1-b1']);
    assert.equal(third.events, ['node.fenced'], 'told once');
    await third.daemon.reconcile();
    assert.is(hosts.notes('d').on, undefined);
  });
}

test('a node that is back has its fence forgotten once no disk names its old lives', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = beside(one);
  await create(first);
  await attach(first, 'db');
  await one.powerOff();
  const second = beside(two);
  await second.nodes.fence(WORD, call());
  await one.reboot();
  const back = beside(one);
  await second.round();
  assert.equal(poolNotes(hosts).fenced, ['n1/n1-b1'], 'a disk still has its old life');
  await back.daemon.reconcile();
  assert.equal(hosts.notes('d').on, ['n1/n1-b2']);
  await second.round();
  assert.is(poolNotes(hosts).fenced, undefined);
});

test('a fence agent reads what to do from stdin, and its success is the proof', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  beside(one);
  const folder = await mkdtemp(join(tmpdir(), 'sltv-agent-'));
  const agent = join(folder, 'fence_test');
  await writeFile(
    agent,
    `#!/bin/sh\ncat > ${folder}/read\necho "$1" >> ${folder}/read\n[ ! -e ${folder}/fails ] || { echo "no power" >&2; exit 1; }\n`,
  );
  await chmod(agent, 0o755);
  const options = { ip: '{node}-bmc', username: 'admin' };
  const second = beside(two, { agent: { command: [agent, '{node}'], options, timeout: 10_000 } });
  await writeFile(join(folder, 'fails'), '');
  const error = await failure(second.nodes.fence(WORD, call()));
  assert.is(error.code, 'core/fence-failed');
  assert.match(error.message, 'no power');
  assert.is(hosts.cluster.over.size, 0);
  await rm(join(folder, 'fails'));
  // It answers, and is turned off: that is what an agent is for.
  await second.nodes.fence(WORD, call());
  assert.is(
    await readFile(join(folder, 'read'), 'utf8'),
    'action=off\nplug=n1\nnodename=n1\nip=n1-bmc\nusername=admin\nn1\n',
  );
  assert.match(hosts.cluster.over.get('n1/n1-b1') ?? '', 'turned it off');
  await rm(folder, { recursive: true });
});

test('an agent that is not there, or says nothing, proves nothing', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  beside(one);
  await one.powerOff();
  const missing = { command: ['/nowhere/fence_test'], options: {}, timeout: 1000 };
  assert.is((await failure(beside(two, { agent: missing }).nodes.fence(WORD, call()))).code, 'core/no-tool');
  const slow = { command: ['sleep', '30'], options: {}, timeout: 200 };
  const second = beside(two, { agent: slow });
  assert.is((await failure(second.nodes.fence(WORD, call()))).code, 'core/fence-failed');
  assert.is(hosts.cluster.over.size, 0);
  assert.ok((await second.nodes.fence({ ...WORD, byHand: true }, call())).isFenced, 'a word does, when it is given so');
});

test.run();
