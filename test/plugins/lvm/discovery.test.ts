// When VGs are looked for, and who waits for that. Reports are as `vgs` of lvm2 2.03.16 wrote them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLog } from '../../../core/log.ts';
import type { Finished } from '../../../core/run.ts';
import type { Lvm } from '../../../plugins/lvm/commands.ts';
import { createDiscovery, type Discovery } from '../../../plugins/lvm/discovery.ts';
import { lvmErrors } from '../../../plugins/lvm/errors.ts';
import { never } from './fixture.ts';

test('a look serves ten seconds', async () => {
  const host = hostWith(['vg0']);
  for (const time of [0, 9_999]) assert.equal(await host.namesAt(time), ['vg0']);
  assert.is(host.looks(), 1);
});

test('an older look is answered with at once, and a second later one new look is taken for all who asked', async () => {
  const host = hostWith(['vg0']);
  await host.namesAt(0);
  host.has = ['vg0', 'vg1'];
  const renewal = host.hold();
  for (const _ of ['first', 'second']) assert.equal(await host.namesAt(10_000), ['vg0']);
  assert.equal([host.looks(), host.pauses], [2, [1_000]]);
  await renewal.letGo();
  assert.equal(await host.namesAt(10_000), ['vg0', 'vg1']);
  assert.is(host.looks(), 2);
});

test('a host without any pool is looked at again after a second, before the answer', async () => {
  const host = hostWith([]);
  for (const time of [0, 999]) assert.equal(await host.namesAt(time), []);
  assert.is(host.looks(), 1);
  host.has = ['vg0'];
  assert.equal(await host.namesAt(1_000), ['vg0']);
});

test('nobody waits for a VG of the config that isn’t there but who asks for it, and once a second at most', async () => {
  const host = hostWith(['vg1'], { vgs: ['vg0'] });
  assert.equal(await host.namesAt(0), ['vg1']);
  for (const wanted of [undefined, 'vg1', 'of-another-storage']) {
    assert.equal(await host.namesAt(9_999, wanted), ['vg1']);
  }
  assert.equal([host.looks(), host.pauses], [1, []]);
  host.has = ['vg0', 'vg1'];
  assert.equal(await host.namesAt(9_999, 'vg0'), ['vg0', 'vg1']);
  assert.is(host.looks(), 2);

  host.has = [];
  host.discovery.forget();
  for (const time of [20_000, 20_999]) assert.equal(await host.namesAt(time, 'vg0'), []);
  assert.is(host.looks(), 3);
  await host.namesAt(21_000, 'vg0');
  assert.is(host.looks(), 4);
});

test('after a look that failed a new one is waited for', async () => {
  const host = hostWith(['vg0']);
  host.fault = lvmErrors('failed', 'lvm vgs failed');
  assert.equal(await host.namesAt(0), ['lvm vgs failed']);
  host.fault = undefined;
  assert.equal(await host.namesAt(0), ['vg0']);
});

test('after a new look behind the answer that failed, the next one is waited for', async () => {
  const host = hostWith(['vg0']);
  await host.namesAt(0);
  host.fault = lvmErrors('failed', 'lvm vgs failed');
  const renewal = host.hold();
  assert.equal(await host.namesAt(10_000), ['vg0']);
  await renewal.letGo();
  assert.equal(await host.namesAt(10_000), ['lvm vgs failed']);
});

test('a host where lvm can’t be used is looked at again after a second, before the answer', async () => {
  const host = hostWith(['vg0'], { vgs: [] });
  host.fault = lvmErrors('no-permission', 'lvm has no permission');
  assert.equal(await host.namesAt(0), []);
  host.fault = undefined;
  assert.equal(await host.namesAt(999), []);
  assert.equal(await host.namesAt(1_000), ['vg0']);
});

test('what is forgotten is looked at anew before the answer, and an older look that ends later changes nothing', async () => {
  const host = hostWith(['vg0']);
  await host.namesAt(0);
  const renewal = host.hold();
  await host.namesAt(10_000);
  host.has = ['vg0', 'made'];
  host.discovery.forget();
  assert.equal(await host.namesAt(10_000), ['vg0', 'made']);
  host.has = ['vg0'];
  await renewal.letGo();
  assert.equal(await host.namesAt(10_000), ['vg0', 'made']);
  assert.is(host.looks(), 3);
});

interface Host {
  /** The names of its VGs, all of them marked. */
  has: readonly string[];
  /** What lvm fails with. */
  fault: Error | undefined;
  readonly discovery: Discovery;
  /** How long somebody waited before a look, milliseconds. */
  readonly pauses: readonly number[];
  /** The pools, or the failure, that an answer at this time has, milliseconds. */
  namesAt(time: number, wanted?: string): Promise<string[]>;
  /** How often lvm was started. */
  looks(): number;
  /** Holds the next lvm until it is let go; what follows from its end has happened then. */
  hold(): { letGo(): Promise<void> };
}

function hostWith(has: readonly string[], { vgs }: { vgs: readonly string[] } = { vgs: ['vg0'] }): Host {
  let now = 0;
  let started = 0;
  const pauses: number[] = [];
  let held: Promise<void> | undefined;
  const lvm: Lvm = {
    async report() {
      started++;
      const before = held;
      held = undefined;
      await before;
      if (host.fault) throw host.fault;
      return reportOf(host.has);
    },
    commit: async () => assert.unreachable('a look writes nothing'),
    shell: async () => {
      throw new Error('a look runs no command of a person');
    },
    settle: async () => assert.unreachable('a look waits for nobody'),
  };
  const log = createLog({ level: 'error', format: 'text', write: () => {} });
  const discovery = createDiscovery({
    lvm,
    log,
    vgs,
    life: never,
    now: () => now,
    wait: async (time) => void pauses.push(time),
  });
  const host: Host = {
    has,
    fault: undefined,
    discovery,
    pauses,
    async namesAt(time, wanted) {
      now = time;
      return await discovery.look(never, wanted).then(
        (pools) => pools.map(({ name }) => name),
        (error: Error) => [error.message],
      );
    },
    looks: () => started,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return {
        async letGo() {
          resolve();
          await new Promise(setImmediate);
        },
      };
    },
  };
  return host;
}

function reportOf(names: readonly string[]): Finished {
  const vg = names.map((name, index) => ({
    vg_name: name,
    vg_uuid: `lnDRAJ-kRez-SkRX-OOFx-yzcf-R8Fj-3K4q1${index}`,
    vg_tags: 'sltv:v=1',
    pv_name: `/dev/vd${index}`,
    pv_mda_used_count: '1',
    pv_missing: '',
  }));
  return { code: 0, stdout: '', stderr: '', report: JSON.stringify({ report: [{ vg }] }) };
}

test.run();
