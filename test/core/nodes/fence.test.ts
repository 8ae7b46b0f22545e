import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeHosts } from '../disks/hosts.ts';
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

for (const how of ['fail', 'lose'] as const) {
  test(`a fence goes on when a pool could not be told at once, since the node may have its lock: ${how}`, async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    await create(beside(one));
    await one.powerOff();
    await beside(two, {}, { at: 1, how }).nodes.fence(WORD, call());
    assert.is(hosts.cluster.over.size, 1);
    assert.equal(poolNotes(hosts).fenced, ['n1/n1-b1']);
  });
}

test('a fence of which a pool can not be told is unfinished, says to keep the host off, and is repeated', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await create(beside(one));
  await one.powerOff();
  const second = beside(two);
  const [pool] = (await second.world.storages[0]?.pools(call().signal)) ?? [];
  assert.ok(pool);
  const shut = { ...pool, change: () => Promise.reject(new Error('its lock is out of reach')) };
  const storages = [{ kind: 'memory', pools: async () => [shut] }];
  const error = await failure(beside(two, { storages }).nodes.fence(WORD, call()));
  assert.is(error.code, 'core/fence-unfinished');
  assert.match(error.message, 'n1 is fenced, and mem could not be told of it yet: keep it off');
  await second.nodes.fence(WORD, call());
  assert.equal(poolNotes(hosts).fenced, ['n1/n1-b1']);
});

test('a fence whose daemon died after it told a pool is ended by any that comes by', async (hosts) => {
  const [one, two, three] = [hosts.host('n1'), hosts.host('n2'), hosts.host('n3')];
  await create(beside(one));
  await one.powerOff();
  await failure(beside(two, {}, { at: 1, how: 'die-after' }).nodes.fence(WORD, call()));
  assert.is(hosts.cluster.over.size, 0);
  const third = beside(three);
  await third.round();
  await third.round();
  assert.equal([...hosts.cluster.over.keys()], ['n1/n1-b1']);
  assert.equal(third.events, ['node.fenced'], 'told once');
  await third.daemon.reconcile();
  assert.is(hosts.notes('d').on, undefined);
});

test('a fence whose daemon died before it told anybody has to be proven again', async (hosts) => {
  const [one, two, three] = [hosts.host('n1'), hosts.host('n2'), hosts.host('n3')];
  await create(beside(one));
  await one.powerOff();
  await failure(beside(two, {}, { at: 1, how: 'die-before' }).nodes.fence(WORD, call()));
  const third = beside(three);
  await third.round();
  assert.equal([third.events, hosts.cluster.over.size], [[], 0]);
  assert.is((await failure(third.nodes.fence({ ...WORD, confirmed: false }, call()))).code, 'core/fence-unproven');
  await third.nodes.fence(WORD, call());
  assert.equal(poolNotes(hosts).fenced, ['n1/n1-b1']);
});

test('a node that has begun another life is not taken for fenced, whatever the cluster says of the one before', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await create(beside(one));
  // Its hook was heard in another life, its daemon was not yet: the member is still the old one, whose life is over.
  hosts.cluster.over.set('n1/n1-b1', 'n1 was started anew');
  hosts.cluster.replies.delete('n1');
  const second = beside(two);
  await second.round();
  await second.daemon.reconcile();
  assert.equal([poolNotes(hosts).fenced, hosts.notes('d').on], [undefined, ['n1/n1-b1']]);
  assert.is((await failure(attach(second, 'web'))).code, 'core/disk-elsewhere');
  assert.is((await failure(second.nodes.fence({ ...WORD, confirmed: false }, call()))).code, 'core/fence-unproven');
});

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

test.plain(
  'every pool is told of a fence, but of no more once the node is back: it may be using what it found',
  async () => {
    await using hosts = await makeHosts(['other']);
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    await create(beside(one));
    await one.powerOff();
    const second = beside(two);
    await second.nodes.fence(WORD, call());
    assert.equal(hosts.pools.shared?.notes.get('other')?.fenced, ['n1/n1-b1']);
    hosts.pools.shared?.notes.delete('other');
    await second.round();
    assert.equal(hosts.pools.shared?.notes.get('other')?.fenced, ['n1/n1-b1'], 'told again');
    hosts.pools.shared?.notes.delete('other');
    await one.reboot();
    beside(one);
    await second.round();
    assert.is(hosts.pools.shared?.notes.get('other'), undefined);
  },
);

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
