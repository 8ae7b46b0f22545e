// One host's operations on disks that another one has, and what lives that are over left.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../../core/disks/entry.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { type Host, type Hosts, makeHosts } from './hosts.ts';
import { call, type Daemon, failure } from './house.ts';

const test = suite('disks of other hosts');
const onHosts = (title: string, work: (hosts: Hosts) => Promise<void>) =>
  test(title, async () => {
    await using hosts = await makeHosts();
    await work(hosts);
  });

const thick = ({ disks }: Daemon) => disks.create({ name: 'd', mode: 'thick', size: 8n * MiB }, call());
const thin = ({ disks }: Daemon) => disks.create({ name: 'd', mode: 'thin', virtualSize: GiB }, call());
const attachTo = (vm: string, { disks }: Daemon) => disks.attach({ disk: 'd', vm, readOnly: false }, call());
const fenced = (hosts: Hosts, host: Host) => {
  const { id, bootId } = host.node();
  hosts.cluster.over.set(`${id}/${bootId}`, 'a test said so');
  hosts.pools.shared?.notes.set('mem', { fenced: [`${id}/${bootId}`] });
};
const lie = (hosts: Hosts, notes: Record<string, readonly string[]>) => {
  const volumes = hosts.pools.pools.get('mem');
  const volume = volumes?.get('d');
  if (volume) volumes?.set('d', { ...volume, notes: { ...volume.notes, ...notes } });
};

onHosts(
  'a thick disk that runs elsewhere is extended from here, and its device and guest there follow',
  async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    const first = one.daemon();
    await thick(first);
    await attachTo('web', first);
    one.vms.web.capacity.set('vda', 8n * MiB);
    assert.is((await two.daemon().disks.extend({ name: 'd', size: 16n * MiB }, call())).size, 16n * MiB);
    assert.is(one.world.devices.get(one.path('d')), 16n * MiB);
    assert.is(one.vms.web.capacity.get('vda'), 16n * MiB);
  },
);

onHosts('a node that was not told of a new size finds it by itself', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await thick(first);
  await attachTo('web', first);
  one.vms.web.capacity.set('vda', 8n * MiB);
  hosts.cluster.silent.add('n1');
  await two.daemon().disks.extend({ name: 'd', size: 16n * MiB }, call());
  assert.is(one.world.devices.get(one.path('d')), 8n * MiB);
  await first.reconcile();
  assert.is(one.world.devices.get(one.path('d')), 16n * MiB);
  assert.is(one.vms.web.capacity.get('vda'), 16n * MiB);
});

onHosts('a detach is done by the node that has the VM, and asked again it is done', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await thick(first);
  await attachTo('web', first);
  const second = two.daemon();
  await second.disks.detach({ disk: 'd', vm: 'web' }, call('it'));
  await second.disks.detach({ disk: 'd', vm: 'web' }, call('it'));
  assert.equal(one.vms.web.disks, []);
  assert.is(hosts.notes('d').own, undefined);
});

onHosts("what the other node's operation ended with is what the caller reads", async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await thick(first);
  await attachTo('web', first);
  one.vms.web.isStubborn = true;
  const error = await failure(two.daemon().disks.detach({ disk: 'd', vm: 'web' }, call()));
  assert.is(error.code, 'core/detach-unanswered');
});

onHosts('a disk that runs elsewhere is deleted with force', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await thick(first);
  await attachTo('web', first);
  await two.daemon().disks.delete({ name: 'd', force: true }, call());
  assert.equal([one.vms.web.disks, hosts.notes('d')], [[], {}]);
});

onHosts('a thin disk that runs elsewhere is resized there', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await thin(first);
  await attachTo('db', first);
  const resized = await two.daemon().disks.resize({ name: 'd', virtualSize: 2n * GiB }, call());
  assert.is(resized.virtualSize, 2n * GiB);
  assert.equal(hosts.notes('d').on, ['n1/n1-b1']);
});

onHosts('a node that does not answer is named, with what to do', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await thick(first);
  await attachTo('web', first);
  hosts.cluster.silent.add('n1');
  const error = await failure(two.daemon().disks.detach({ disk: 'd', vm: 'web' }, call()));
  assert.is(error.code, 'core/disk-elsewhere');
  assert.match(error.message, 'held by node n1, which does not answer');
});

onHosts('an attachment is told with the host that has it, and with none after a fence', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await thick(first);
  await attachTo('db', first);
  const second = two.daemon();
  const nodes = async () => (await second.disks.attachments({}, call())).map(({ node }) => node);
  assert.equal(await nodes(), ['n1']);
  await one.powerOff();
  fenced(hosts, one);
  await second.reconcile();
  assert.equal(await nodes(), ['']);
});

onHosts('a disk whose node was fenced is detached from anywhere', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await thick(first);
  await attachTo('web', first);
  await one.powerOff();
  fenced(hosts, one);
  await two.daemon().disks.detach({ disk: 'd', vm: 'web' }, call());
  assert.equal([hosts.notes('d').own, hosts.notes('d').on], [undefined, undefined]);
});

onHosts(
  'a volume that is active without permission is deactivated, and one that is open is told of until it is not',
  async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    const first = one.daemon();
    await thick(first);
    await attachTo('web', first);
    lie(hosts, { on: ['n2/n2-b1'] });
    const errors: string[] = [];
    const world = {
      ...first.world,
      alarms: { ...first.world.alarms, raise: (_: string, text: string) => errors.push(text) },
    };
    const { reconcile } = await import('../../../core/disks/reconcile.ts');
    one.world.held.add(one.path('d'));
    await reconcile(world);
    assert.match(errors[0] ?? '', /mem\/d is active and open on this host, though n2 has it/);
    one.world.held.clear();
    await reconcile(world);
    assert.is(one.world.active.size, 0);
    assert.is(two.world.active.size, 0);
  },
);

/** What a life that is over left, and what becomes of it: `notes` of n1, read by n2 after n1 was fenced. */
interface Left {
  readonly title: string;
  readonly notes: Record<string, readonly string[]>;
  readonly becomes: Partial<Record<keyof Entry | 'own' | 'on' | 'op', readonly string[] | undefined>> | 'gone';
}

const P = 'n1/n1-b1';
const OWN = ['uuid/vda/web'];
const LEFT: readonly Left[] = [
  { title: 'a creation is taken back', notes: { op: [`create/${P}/x`] }, becomes: 'gone' },
  { title: 'a deletion goes on', notes: { op: [`delete/${P}/x`] }, becomes: 'gone' },
  { title: 'a wipe goes on', notes: { op: [`wipe/${P}/x`] }, becomes: 'gone' },
  {
    title: 'a detach is ended',
    notes: { op: [`detach/${P}/x`], own: OWN },
    becomes: { own: undefined, op: undefined, on: undefined },
  },
  {
    title: 'an attach waits for who claims it',
    notes: { op: [`attach/${P}/x`], own: OWN },
    becomes: { own: OWN, op: [`attach/${P}/x`], on: [P] },
  },
  {
    title: 'a move is left alone',
    notes: { op: [`move/${P}/x`], own: OWN },
    becomes: { op: [`move/${P}/x`], on: [P] },
  },
  { title: 'a disk at rest is with nobody', notes: { own: OWN }, becomes: { own: OWN, on: undefined } },
  { title: 'a free disk is with nobody', notes: {}, becomes: { on: undefined } },
];

for (const { title, notes, becomes } of LEFT) {
  onHosts(`of a life that was fenced, ${title}`, async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    await thick(one.daemon());
    lie(hosts, { ...notes, on: [P] });
    const second = two.daemon();
    await second.reconcile();
    assert.equal(hosts.notes('d').on, [P], 'not while it may live');
    await one.powerOff();
    fenced(hosts, one);
    await second.reconcile();
    await second.reconcile();
    if (becomes === 'gone') assert.equal(hosts.notes('d'), {});
    else for (const [key, value] of Object.entries(becomes)) assert.equal(hosts.notes('d')[key], value, key);
  });
}

onHosts('a resize that a life which was fenced began is carried out', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await thin(one.daemon());
  lie(hosts, { op: [`resize/${P}/x/${2n * GiB}`] });
  const second = two.daemon();
  await one.powerOff();
  fenced(hosts, one);
  await second.reconcile();
  await second.reconcile();
  assert.equal([hosts.notes('d').op, hosts.notes('d').vsize], [undefined, [String(2n * GiB)]]);
});

onHosts('without a fence a newer life takes back only what was being made', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await thick(one.daemon());
  lie(hosts, { own: OWN });
  const second = two.daemon();
  await one.reboot();
  one.daemon();
  await second.reconcile();
  assert.equal(hosts.notes('d').on, [P], 'a start there may rest on it');
  lie(hosts, { op: [`create/${P}/x`], own: [] });
  await second.reconcile();
  assert.equal(hosts.notes('d'), {});
});

onHosts(
  'a node that is back after a fence writes its present life to its own disks, and another leaves them alone',
  async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    await thick(one.daemon());
    lie(hosts, { own: OWN });
    fenced(hosts, one);
    await one.reboot();
    const second = two.daemon();
    const back = one.daemon();
    await second.reconcile();
    assert.equal(hosts.notes('d').on, [P]);
    await back.reconcile();
    assert.equal(hosts.notes('d').on, ['n1/n1-b2']);
  },
);

onHosts(
  'what an earlier life began is first made this one’s, so that nobody else ends it at the same time',
  async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    const first = one.daemon();
    await thick(first);
    await attachTo('db', first);
    lie(hosts, { op: [`attach/${P}/x`] });
    fenced(hosts, one);
    await one.reboot();
    const back = one.daemon({ at: 1, how: 'die-after' });
    two.daemon();
    await back.reconcile();
    assert.equal([hosts.notes('d').op, hosts.notes('d').on], [['attach/n1/n1-b2/x'], ['n1/n1-b2']]);
    const error = await failure(two.start(two.vms.db, 'd'));
    assert.ok(['core/disk-busy', 'core/disk-elsewhere', 'core/disk-claimed'].includes(error.code), error.code);
    await one.daemon().reconcile();
    assert.equal([hosts.notes('d').op, hosts.notes('d').own?.length], [undefined, 1]);
  },
);

onHosts('and what another has taken over meanwhile is left to it', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await thick(first);
  await attachTo('db', first);
  lie(hosts, { op: [`attach/${P}/x`] });
  fenced(hosts, one);
  await one.reboot();
  two.daemon();
  await two.start(two.vms.db, 'd');
  one.vms.db.disks = [];
  await one.daemon().reconcile();
  assert.equal([hosts.notes('d').own?.length, hosts.notes('d').on], [1, ['n2/n2-b1']]);
});

onHosts('a life that was fenced and lives ends nothing that others left', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await thick(one.daemon());
  const second = two.daemon();
  fenced(hosts, one);
  hosts.pools.shared?.notes.set('mem', { fenced: [P, 'n2/n2-b1'] });
  await second.reconcile();
  assert.equal(hosts.notes('d').on, [P]);
});

onHosts('what another node uses, or may use, is adopted there and not here', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const [first, second] = [one.daemon(), two.daemon()];
  const [pool] = (await second.world.storages[0]?.pools(call().signal)) ?? [];
  await pool?.change({ signal: call().signal }, (writer) =>
    writer.create({ name: 'd', size: 8n * MiB, notes: {}, format: 'raw', active: true }),
  );
  const refused = async () => await failure(first.disks.adopt({ name: 'd' }, call()));
  assert.match((await refused()).message, 'node n2 uses mem/d: it is active there');
  await pool?.deactivate('d', call().signal);
  two.vms.db.disks.push({
    target: 'vda',
    path: two.path('d'),
    format: 'raw',
    readOnly: false,
    live: false,
    persistent: true,
  });
  const { code, message, hint } = await refused();
  assert.equal([code, hint], ['core/disk-elsewhere', 'run this on n2']);
  assert.match(message, 'VM db has it there');
  hosts.cluster.silent.add('n2');
  assert.match((await refused()).message, 'does not answer');
  assert.equal(hosts.notes('d'), {});
  hosts.cluster.silent.clear();
  const [adopted] = await second.disks.adopt({ name: 'd' }, call());
  assert.ok(adopted && !adopted.refusal);
  assert.is(adopted?.disk.owner?.vmName, 'db');
  // In a pool that hosts share nothing else could activate it for its VM.
  const kept = await failure(second.disks.forget({ name: 'd', attached: true }, call()));
  assert.is(kept.code, 'core/disk-attached');
  await second.disks.detach({ disk: 'd', vm: 'db' }, call());
  await first.disks.forget({ name: 'd', attached: false }, call());
  assert.equal(hosts.notes('d'), {});
});

test.run();
