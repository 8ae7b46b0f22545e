import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { DiskExtended, DiskFacts, Disks } from '../../../core/capabilities/disks.ts';
import { Hypervisor } from '../../../core/capabilities/hypervisor.ts';
import { PoolGrown, Storage } from '../../../core/capabilities/storage.ts';
import { boot } from '../../../core/kernel/boot.ts';
import { createBus } from '../../../core/kernel/bus.ts';
import { definitionOf } from '../../../core/kernel/definition.ts';
import { definePlugin } from '../../../core/kernel/plugin.ts';
import { GiB, MiB } from '../../../core/units.ts';
import autoextend, { ahead, keepFree } from '../../../plugins/autoextend/index.ts';
import { call, failure } from '../../core/disks/house.ts';
import { keptLog, node, run, settled } from '../../core/kernel/kit.ts';
import { guestWrites } from '../../fixtures/memory-hypervisor.ts';
import { makeGuests } from './guests.ts';

/** What the options come to, or what is wrong with them. */
function options(given: unknown) {
  const definition = definitionOf(autoextend());
  if (typeof definition === 'string' || !definition.options) throw new Error('the plugin has options');
  const read = v.safeParse(definition.options, given);
  return read.success ? read.output : v.flatten(read.issues).nested;
}

/** The plugin up, over a host with one thin disk in a running VM. */
async function booted({
  fails = 0,
  ...given
}: {
  readonly fails?: number;
  readonly events?: boolean;
  readonly poll?: number;
} = {}) {
  const guests = await makeGuests();
  const { daemon, vm, hypervisor } = guests;
  const happened: string[] = [];
  let hear = () => {};
  const note = (what: string) => {
    happened.push(what);
    hear();
  };
  let failures = 0;
  const watched: Hypervisor = {
    ...hypervisor,
    async statistics(signal) {
      if (failures < fails) {
        failures += 1;
        throw new Error('the monitor is gone');
      }
      const seen = await hypervisor.statistics(signal);
      note('look');
      return seen;
    },
    async arm(uuid, thresholds, signal) {
      await hypervisor.arm(uuid, thresholds, signal);
      note('arm');
    },
  };
  const storage = daemon.world.storages[0];
  if (!storage) throw new Error('the house has a storage');
  const host = definePlugin({
    name: 'host',
    api: 1,
    provides: { disks: Disks, storage: Storage, hypervisor: Hypervisor },
    setup: () => ({ provides: { disks: daemon.disks, storage, hypervisor: watched } }),
  });
  const { log } = keptLog();
  const plugins = [settled(host()), settled(autoextend(), options(given))];
  const up = await boot({ plugins, bus: createBus(log), node, run, log });
  return {
    ...{ up, guests, vm, happened },
    /** After so many of these since the boot. */
    async after(what: 'look' | 'arm', times: number) {
      while (happened.filter((each) => each === what).length < times) {
        await new Promise<void>((resolve) => {
          hear = resolve;
        });
      }
    },
    ask: async (words: string, input: object = {}) => up.verbs.get(words)?.run(input, call()),
    async [Symbol.asyncDispose]() {
      await up.stop();
      await guests[Symbol.asyncDispose]();
    },
  };
}

test('without options it is ahead() that says, with events and a look every 15 seconds', () => {
  const { poll, events } = v.parse(v.looseObject({ poll: v.number(), events: v.boolean() }), options({}));
  assert.equal([poll, events], [15_000, true]);
});

test('a policy is a function, and looks are no closer than a second', () => {
  for (const policy of [ahead(), keepFree({ percent: 10, step: '10%' }), () => ({ armAt: 1n })]) {
    assert.is(Reflect.get(Object(options({ policy })), 'policy'), policy);
  }
  assert.match(String(Reflect.get(Object(options({ policy: 'ahead' })), 'policy')), 'a policy is a function');
  assert.match(String(Reflect.get(Object(options({ poll: 999 })), 'poll')), 'at least 1000 milliseconds');
});

test('a daemon that comes up gives guests their headroom and arms them', async () => {
  await using host = await booted();
  await host.after('arm', 1);
  assert.is(host.vm.armed.get('vda'), 256n * MiB);
  assert.is(host.guests.size(), 512n * MiB);
});

test('a crossing is answered at once', async () => {
  await using host = await booted();
  await host.after('arm', 1);
  guestWrites(host.vm, 'vda', 300n * MiB);
  await host.after('arm', 2);
  assert.ok((host.vm.armed.get('vda') ?? 0n) > 300n * MiB);
  assert.is(host.vm.state, 'running');
});

test('with events switched off it looks, and arms nothing', async () => {
  await using host = await booted({ events: false });
  await host.after('look', 1);
  host.up.emit(PoolGrown, { pool: 'mem' });
  await host.after('look', 2);
  assert.is(host.vm.armed.size, 0);
});

test('a look that fails is followed by another, long before the next is due', async () => {
  // The look at the start and the one because the events are connected.
  await using host = await booted({ fails: 2, poll: 3_600_000 });
  await host.after('arm', 1);
  assert.is(host.vm.armed.get('vda'), 256n * MiB);
});

test('a disk that grew by a command has all guests looked at; one that it extended itself has not', async () => {
  await using host = await booted();
  await host.after('arm', 1);
  // One at the start, and one because the events are connected.
  await host.after('look', 2);
  await turnOfTheLoop();
  const disk = await host.guests.daemon.disks.show({ name: 'img' }, call());
  const looks = () => host.happened.filter((each) => each === 'look').length;
  host.up.emit(DiskExtended, { disk, from: 0n, automatic: true });
  await turnOfTheLoop();
  assert.is(looks(), 2);
  host.up.emit(DiskExtended, { disk, from: 0n, automatic: false });
  await turnOfTheLoop();
  assert.is(looks(), 3);
});

test('status, plan and the facts of a disk tell of it by its name, with or without its pool', async () => {
  await using host = await booted();
  await host.after('arm', 1);
  for (const input of [{}, { disk: 'img' }, { disk: 'mem/img' }]) {
    const [row] = v.parse(v.array(v.looseObject({ disk: v.string(), armedAt: v.bigint() })), [
      ...Object(await host.ask('autoextend status', input)),
    ]);
    assert.equal([row?.disk, row?.armedAt], ['mem/img', 256n * MiB]);
    const plans = [...Object(await host.ask('autoextend plan', input))];
    assert.is(plans.length, 1);
    assert.match(plans[0].because, /free is enough|whole image fits/);
  }
  const disk = await host.guests.daemon.disks.show({ name: 'img' }, call());
  const [facts] = host.up.all(DiskFacts);
  assert.is(facts?.of(disk)?.armedAt, 256n * MiB);
  assert.is(facts?.of({ ...disk, id: 'another' }), undefined);
});

test('what is set for a disk is kept with it, one thing at a time', async () => {
  await using host = await booted();
  const set = (input: object) => host.ask('autoextend set', { disk: 'img', ...input });
  assert.equal(await set({ off: true }), { disk: 'mem/img', isOn: false, step: undefined });
  assert.equal(await set({ step: String(GiB) }), { disk: 'mem/img', isOn: true, step: GiB });
  assert.equal(await set({ reset: true }), { disk: 'mem/img', isOn: true, step: undefined });
  assert.is((await failure(set({}))).code, 'autoextend/one-setting');
  assert.is((await failure(set({ off: true, reset: true }))).code, 'autoextend/one-setting');
  assert.is((await failure(set({ step: '0' }))).code, 'autoextend/bad-step');
});

test('a thick disk has nothing to be told of, nor to be set', async () => {
  await using host = await booted();
  await host.guests.daemon.disks.create({ name: 'raw', mode: 'thick', size: 8n * MiB }, call());
  for (const [words, more] of [['status'], ['plan'], ['set', { off: true }]] as const) {
    assert.is((await failure(host.ask(`autoextend ${words}`, { disk: 'raw', ...more }))).code, 'autoextend/thick');
  }
});

test('a disk in no running VM can be set, and there is nothing to tell of it', async () => {
  await using host = await booted();
  await host.guests.daemon.disks.create({ name: 'spare', mode: 'thin', virtualSize: GiB }, call());
  assert.equal(await host.ask('autoextend set', { disk: 'spare', step: '1G' }), {
    ...{ disk: 'mem/spare', isOn: true, step: GiB },
  });
  for (const words of ['status', 'plan']) {
    assert.is((await failure(host.ask(`autoextend ${words}`, { disk: 'spare' }))).code, 'autoextend/idle');
  }
});

test.run();
