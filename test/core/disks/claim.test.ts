// Disks that go from host to host: whoever asks at whatever moment, one disk is one VM's, and active in one place.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Storage } from '../../../core/capabilities/storage.ts';
import { claiming, mustBeOursToTake } from '../../../core/disks/claim.ts';
import { tidyPromises } from '../../../core/disks/permission.ts';
import { createPromises } from '../../../core/disks/promises.ts';
import { freshEntry } from '../../../core/disks/world.ts';
import { asSltvError } from '../../../core/errors.ts';
import { GiB, MiB } from '../../../core/units.ts';
import type { Fault } from '../../fixtures/memory-storage.ts';
import { type Host, type Hosts, holdWhatRuns, makeHosts } from './hosts.ts';
import { call, type Daemon, failure } from './house.ts';

const test = suite('claims');
const onHosts = (title: string, work: (hosts: Hosts) => Promise<void>) =>
  test(title, async () => {
    await using hosts = await makeHosts();
    await work(hosts);
  });

const create = ({ disks }: Daemon) => disks.create({ name: 'd', mode: 'thick', size: 8n * MiB }, call());
const fenced = (hosts: Hosts, host: Host) => {
  const { id, bootId } = host.node();
  hosts.cluster.over.set(`${id}/${bootId}`, 'a test said so');
  hosts.pools.shared?.notes.set('mem', { fenced: [`${id}/${bootId}`] });
};
const attachTo = (vm: string, { disks }: Daemon, id?: string) =>
  disks.attach({ disk: 'd', vm, readOnly: false }, call(id));

onHosts(
  'a disk that was made on one host is attached on another, whose permission replaces the first',
  async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    await create(one.daemon());
    assert.equal(hosts.notes('d').on, ['n1/n1-b1']);
    await attachTo('web', two.daemon());
    assert.equal(hosts.notes('d').on, ['n2/n2-b1']);
    assert.is(two.world.active.size, 1);
    assert.equal(hosts.cluster.asked, ['n2 asks n1 disk.inactive', 'n2 asks n1 disk.settled']);
    assert.equal(await one.daemon().world.promises.all(), [], 'no promise is left');
  },
);

onHosts('what a dead daemon left active is deactivated before it is given away', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await create(first);
  const [pool] = (await first.world.storages[0]?.pools(call().signal)) ?? [];
  await pool?.activate('d', call().signal);
  await attachTo('web', two.daemon());
  assert.equal([one.world.active.size, two.world.active.size], [0, 1]);
});

onHosts('a disk that is open on its host is not given away, and the sentence says why', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await create(first);
  const [pool] = (await first.world.storages[0]?.pools(call().signal)) ?? [];
  await pool?.activate('d', call().signal);
  one.world.held.add(one.path('d'));
  const error = await failure(attachTo('web', two.daemon()));
  assert.is(error.code, 'core/disk-elsewhere');
  assert.match(error.message, /mem\/d is held by node n1: .* is open/);
  assert.equal(await first.world.promises.all(), []);
});

onHosts('a node that does not answer keeps its disks, until it is fenced', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await create(one.daemon());
  await one.powerOff();
  const second = two.daemon();
  const error = await failure(attachTo('web', second));
  assert.is(error.code, 'core/disk-elsewhere');
  assert.match(error.hint ?? '', 'sltv node fence n1');
  fenced(hosts, one);
  await attachTo('web', second);
  assert.equal(hosts.notes('d').on, ['n2/n2-b1']);
});

onHosts('that a node is in a newer life proves nothing: its hook may rest on an older note', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await create(first);
  await attachTo('db', first);
  await one.reboot();
  // Up, and heard of, but its daemon does not answer yet.
  one.daemon();
  hosts.cluster.replies.delete('n1');
  await one.start(one.vms.db, 'd');
  two.daemon();
  assert.is((await failure(two.start(two.vms.db, 'd'))).code, 'core/disk-elsewhere');
});

onHosts(
  'after a fence nobody is asked for what older lives had, and a node that is back has to ask for it',
  async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    const first = one.daemon();
    await create(first);
    await attachTo('db', first);
    fenced(hosts, one);
    await one.reboot();
    one.daemon();
    two.daemon();
    const starts = await Promise.allSettled([one.start(one.vms.db, 'd'), two.start(two.vms.db, 'd')]);
    assert.is(starts.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.is(hosts.notes('d').on?.length, 1);
  },
);

onHosts('a disk that a VM has elsewhere is not to be had, whoever is asked', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await create(first);
  await attachTo('web', first);
  const asked = hosts.cluster.asked.length;
  assert.is((await failure(attachTo('db', two.daemon()))).code, 'core/disk-attached');
  assert.is(hosts.cluster.asked.length, asked, 'nobody was asked');
});

for (const round of [1, 2, 3, 4, 5]) {
  onHosts(`two hosts attach the same disk at the same moment: one has it (round ${round})`, async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    const [first, second] = [one.daemon(), two.daemon()];
    await create(first);
    const outcomes = await Promise.allSettled(
      round % 2 === 0
        ? [attachTo('web', first), attachTo('db', second)]
        : [attachTo('db', second), attachTo('web', first)],
    );
    const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [asSltvError(outcome.reason)] : []));
    assert.equal(
      lost.map(({ code }) => code),
      ['core/disk-attached'],
      lost.map(({ message }) => message).join(),
    );
    assert.is(one.vms.web.disks.length + two.vms.db.disks.length, 1);
    assert.is(hosts.notes('d').on?.length, 1);
  });
}

onHosts('three hosts that know of no holder: one has it', async (hosts) => {
  const daemons = ['n1', 'n2', 'n3'].map((name) => hosts.host(name).daemon());
  const [first] = daemons;
  assert.ok(first);
  await create(first);
  await attachTo('web', first);
  await first.disks.detach({ disk: 'd', vm: 'web' }, call());
  assert.is(hosts.notes('d').on, undefined);
  const outcomes = await Promise.allSettled(daemons.map((daemon) => attachTo('web', daemon)));
  assert.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

onHosts('a disk is deleted from any host, once its own has promised', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await create(one.daemon());
  await two.daemon().disks.delete({ name: 'd', force: false }, call());
  assert.equal(hosts.notes('d'), {});
});

onHosts('what was proven of one node proves nothing of another, which had the disk in between', async (hosts) => {
  const [one, two, three] = [hosts.host('n1'), hosts.host('n2'), hosts.host('n3')];
  await one.daemon().disks.create({ name: 'd', mode: 'thin', virtualSize: GiB }, call());
  const [second, third] = [two.daemon(), three.daemon()];
  let resized: Promise<unknown> | undefined;
  hosts.cluster.step = async (moment, what) => {
    if (moment !== 'answered' || what !== 'n2 asks n1 disk.inactive') return;
    resized ??= third.disks.resize({ name: 'd', virtualSize: 2n * GiB }, call());
    await resized;
  };
  await second.disks.delete({ name: 'd', force: false }, call());
  assert.ok(hosts.cluster.asked.includes('n2 asks n3 disk.inactive'));
});

onHosts(
  'a node rests on a promise also when the disk has been with others since, and back where it was',
  async (hosts) => {
    const [one, two, three] = [hosts.host('n1'), hosts.host('n2'), hosts.host('n3')];
    const first = one.daemon();
    await create(first);
    await attachTo('db', first);
    const [second] = [two.daemon(), three.daemon()];
    const { world } = second;
    const [pool] = (await world.storages[0]?.pools(call().signal)) ?? [];
    assert.ok(pool);
    const wanted = { pool, name: 'd', signal: call().signal, mayHave: () => {} };
    await claiming(world, wanted, async (claim) => {
      // Before it has the lock the VM starts and stops on another host, and would start where it was.
      await three.start(three.vms.db, 'd');
      three.world.held.clear();
      three.vms.db.state = 'off';
      await three.hook('stopped', three.vms.db);
      const back = failure(one.start(one.vms.db, 'd'));
      await new Promise((resolve) => setTimeout(resolve, 400));
      assert.is(one.world.active.size, 0, 'it waits');
      assert.equal(hosts.notes('d').on, ['n3/n3-b1']);
      void claim;
      hosts.cluster.silent.add('n3');
      await back;
    });
  },
);

onHosts('a promise outlives a power cut of who gave it, and holds back the next boot’s start', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await create(first);
  await attachTo('db', first);
  const { world } = two.daemon();
  const [pool] = (await world.storages[0]?.pools(call().signal)) ?? [];
  assert.ok(pool);
  const wanted = { pool, name: 'd', signal: call().signal, mayHave: () => {} };
  await claiming(world, wanted, async (claim) => {
    await one.reboot();
    const early = createPromises(one.node(), () => 10);
    const [promised] = await early.all();
    assert.ok(promised);
    assert.not.ok(early.isOld(promised));
    void claim;
  });
});

onHosts('a proof that is too old is not rested on', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await create(one.daemon());
  const { world } = two.daemon();
  const [pool] = (await world.storages[0]?.pools(call().signal)) ?? [];
  assert.ok(pool);
  const wanted = { pool, name: 'd', signal: call().signal, mayHave: () => {} };
  let rounds = 0;
  await claiming(world, wanted, (claim) =>
    pool.change({ signal: call().signal }, async (writer) => {
      const entry = freshEntry(await writer.find('d'), 'd');
      rounds += 1;
      // As if the pool had kept it waiting.
      await mustBeOursToTake(world, pool, entry, rounds === 1 ? { ...claim, until: 0 } : claim);
    }),
  );
  assert.is(rounds, 2);
});

onHosts('a promise that nobody settled is kept until it is old, and then ends under the lock', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await create(first);
  // The other node's power goes between the answer and its commit.
  const second = two.daemon({ at: 1, how: 'die-before' });
  await failure(attachTo('web', second));
  const [promised] = await first.world.promises.all();
  assert.is(promised?.by, 'n2');
  const aged = { ...first.world, promises: { ...first.world.promises, isOld: () => true } };
  await tidyPromises(first.world.promises, (await first.world.storages[0]?.pools(call().signal)) ?? [], call().signal);
  assert.is((await first.world.promises.all()).length, 1, 'it is young');
  await tidyPromises(aged.promises, (await first.world.storages[0]?.pools(call().signal)) ?? [], call().signal);
  assert.equal(await first.world.promises.all(), []);
  await attachTo('web', first);
});

// Power at every commit of a claim, of each kind.
for (const how of ['fail', 'lose', 'die-before', 'die-after'] as const) {
  test(`attaching a disk of another host, every commit: ${how}`, async () => {
    for (let at = 1; at <= 2; at += 1) await crashAt({ at, how });
  });
}

async function crashAt(fault: Fault): Promise<void> {
  await using hosts = await makeHosts();
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await create(first);
  await attachTo('web', two.daemon(fault), 'it').catch(() => undefined);
  // The claimant comes back in the same life, and the same request is made again.
  const next = two.daemon();
  await next.start();
  for (const promised of await first.world.promises.all()) await first.world.promises.withdraw(promised);
  await attachTo('web', next, 'it');
  assert.equal(hosts.notes('d').on, ['n2/n2-b1'], JSON.stringify(fault));
  assert.equal([one.world.active.size, two.world.active.size], [0, 1]);
  assert.is(two.vms.web.disks.length, 1);
}

onHosts('a start on another host moves the disk, when its own has promised', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await create(first);
  await attachTo('db', first);
  two.daemon();
  await two.start(two.vms.db, 'd');
  assert.equal(hosts.notes('d').on, ['n2/n2-b1']);
  assert.equal([one.world.active.size, two.world.active.size], [0, 1]);
  assert.is((await failure(one.start(one.vms.db, 'd'))).code, 'core/disk-elsewhere');
});

onHosts('a VM that runs on one host does not start on another', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await create(first);
  await attachTo('web', first);
  holdWhatRuns(one);
  two.daemon();
  const error = await failure(two.hook('starting', two.vms.web, { paths: [two.path('d')] }));
  assert.is(error.code, 'core/disk-elsewhere');
  assert.match(error.message, 'web runs there and has it');
  assert.is(two.world.active.size, 0);
});

onHosts('a start where the VM was asks nobody, and needs neither the cluster nor a daemon', async (hosts) => {
  const one = hosts.host('n1');
  const first = one.daemon();
  await create(first);
  await attachTo('db', first);
  hosts.cluster.silent.add('n1');
  const commits = hosts.pools.commits.length;
  await one.hook('starting', one.vms.db);
  await one.hook('stopped', one.vms.db);
  await one.reboot();
  await one.hook('starting', one.vms.db);
  assert.is(one.world.active.size, 1);
  assert.is(hosts.pools.commits.length, commits);
});

onHosts(
  'after a fence a start in a newer life asks again, and so does one in the life that was fenced, in vain',
  async (hosts) => {
    const one = hosts.host('n1');
    const first = one.daemon();
    await create(first);
    await attachTo('db', first);
    hosts.pools.shared?.notes.set('mem', { fenced: ['n1/n1-b1'] });
    assert.is((await failure(one.hook('starting', one.vms.db))).code, 'core/node-fenced');
    await one.reboot();
    one.daemon();
    await one.hook('starting', one.vms.db);
    assert.equal(hosts.notes('d').on, ['n1/n1-b2']);
  },
);

onHosts('a start waits for a claim that is under way, and is refused once that has taken the disk', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await create(first);
  await attachTo('db', first);
  two.daemon();
  let begun: Promise<{ code: string }> | undefined;
  hosts.cluster.step = async (moment, what) => {
    if (moment !== 'answered' || what !== 'n2 asks n1 disk.inactive' || begun) return;
    // The promise is given, and the commit that rests on it is not made yet.
    begun = failure(one.start(one.vms.db, 'd'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.is(one.world.active.size, 0);
  };
  await two.start(two.vms.db, 'd');
  assert.is((await begun)?.code, 'core/disk-elsewhere');
  assert.equal([one.world.active.size, two.world.active.size], [0, 1]);
});

for (const delay of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20]) {
  onHosts(`three hosts start the same VM one after the other: it runs on one at most (${delay})`, async (hosts) => {
    const all = ['n1', 'n2', 'n3'].map((name) => hosts.host(name));
    const [first] = all.map((host) => host.daemon());
    assert.ok(first);
    await create(first);
    await attachTo('db', first);
    const turns = async (count: number) => {
      for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    const order = [all[1], all[2], all[0]].flatMap((host) => host ?? []);
    await Promise.allSettled(order.map((host, at) => turns(at * delay).then(() => host.start(host.vms.db, 'd'))));
    assert.ok(all.filter(({ vms }) => vms.db.state === 'running').length <= 1);
  });
}

onHosts(
  'who asks between a claim’s commit and its activation is seen by it, and one of the two has the disk',
  async (hosts) => {
    const [one, two, three] = [hosts.host('n1'), hosts.host('n2'), hosts.host('n3')];
    const first = one.daemon();
    await create(first);
    await attachTo('db', first);
    for (const host of [two, three]) host.daemon();
    const answered = Promise.withResolvers<void>();
    hosts.cluster.step = async (moment, what) => {
      if (moment === 'answered' && what === 'n3 asks n2 disk.inactive') answered.resolve();
    };
    let third: Promise<unknown> | undefined;
    const slowly = (storage: Storage): Storage => ({
      ...storage,
      pools: async (signal) =>
        (await storage.pools(signal)).map((pool) => ({
          ...pool,
          change: (turn, work) =>
            pool.change(turn, (writer) =>
              work({
                ...writer,
                async annotate(name, { activate = false, ...change }) {
                  const volume = await writer.annotate(name, change);
                  third ??= three.start(three.vms.db, 'd').catch(() => undefined);
                  await answered.promise;
                  if (activate) await pool.activate(name, turn.signal);
                  return volume;
                },
              }),
            ),
        })),
    });
    await two.start(two.vms.db, 'd', slowly).catch(() => undefined);
    await third;
    assert.is([two, three].filter(({ vms }) => vms.db.state === 'running').length, 1);
  },
);

onHosts('what a host had half attached when its power went is started on another, once it is fenced', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  await create(one.daemon());
  await failure(attachTo('db', one.daemon({ at: 1, how: 'die-after' })));
  assert.match(hosts.notes('d').op?.[0] ?? '', /^attach\/n1\/n1-b1\//);
  await one.powerOff();
  two.daemon();
  assert.is((await failure(two.start(two.vms.db, 'd'))).code, 'core/disk-elsewhere');
  fenced(hosts, one);
  await two.start(two.vms.db, 'd');
  assert.equal([hosts.notes('d').op, hosts.notes('d').on], [undefined, ['n2/n2-b1']]);
  // And when the host comes back it can neither start it nor take anything of it back.
  await one.reboot();
  const back = one.daemon();
  await back.start();
  assert.is((await failure(one.start(one.vms.db, 'd'))).code, 'core/disk-elsewhere');
  assert.equal(hosts.notes('d').on, ['n2/n2-b1']);
});

onHosts(
  'an old promise is dropped by a start that needs it, under the lock, and a young one is waited for',
  async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    const first = one.daemon();
    await create(first);
    await attachTo('db', first);
    two.daemon();
    await failure(two.hook('starting', two.vms.db, { paths: [two.path('d')], fault: { at: 1, how: 'die-before' } }));
    assert.is((await first.world.promises.all()).length, 1);
    const begun = one.start(one.vms.db, 'd');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.is(one.vms.db.state, 'off', 'it waits');
    const [promised] = await first.world.promises.all();
    assert.ok(promised);
    await createPromises(one.node(), () => -1000).give(promised);
    await begun;
    assert.is(one.vms.db.state, 'running');
    assert.equal(await first.world.promises.all(), []);
  },
);

onHosts('a volume that was left active is brought to its size before its VM starts', async (hosts) => {
  const [one, two] = [hosts.host('n1'), hosts.host('n2')];
  const first = one.daemon();
  await create(first);
  await attachTo('db', first);
  await one.hook('starting', one.vms.db);
  hosts.cluster.silent.add('n1');
  await two.daemon().disks.extend({ name: 'd', size: 16n * MiB }, call());
  assert.is(one.world.devices.get(one.path('d')), 8n * MiB);
  await one.hook('starting', one.vms.db);
  assert.is(one.world.devices.get(one.path('d')), 16n * MiB);
});

for (const delay of [0, 1, 2, 3, 4, 5, 6, 7, 8]) {
  onHosts(`two hosts start the same VM at nearly the same moment: it runs on one (${delay})`, async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    const first = one.daemon();
    await create(first);
    await attachTo('db', first);
    two.daemon();
    const turns = async (count: number) => {
      for (let turn = 0; turn < count * 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    const starts = await Promise.allSettled([
      turns(delay).then(() => one.start(one.vms.db, 'd')),
      two.start(two.vms.db, 'd'),
    ]);
    const running = [one.vms.db, two.vms.db].filter(({ state }) => state === 'running').length;
    assert.ok(running <= 1);
    assert.is(running, starts.filter(({ status }) => status === 'fulfilled').length);
    assert.is(one.world.active.size + two.world.active.size, running);
  });
}

for (const how of ['fail', 'lose', 'die-before', 'die-after'] as const) {
  onHosts(`a start on another host, at its commit: ${how}`, async (hosts) => {
    const [one, two] = [hosts.host('n1'), hosts.host('n2')];
    const first = one.daemon();
    await create(first);
    await attachTo('db', first);
    two.daemon();
    const paths = [two.path('d')];
    await two.hook('starting', two.vms.db, { paths, fault: { at: 1, how } }).catch(() => undefined);
    for (const promised of await first.world.promises.all()) await first.world.promises.withdraw(promised);
    // It is started again, where it was or where it should be: one of them may.
    await two.hook('starting', two.vms.db, { paths });
    assert.equal(hosts.notes('d').on, ['n2/n2-b1']);
    assert.equal([one.world.active.size, two.world.active.size], [0, 1]);
  });
}

test.run();
