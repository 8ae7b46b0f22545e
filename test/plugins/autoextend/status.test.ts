import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Disk } from '../../../core/capabilities/disks.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { type Guarded, guard, sawFill } from '../../../plugins/autoextend/guarded.ts';
import { factsOf, planOf, statusOf } from '../../../plugins/autoextend/status.ts';

const disk: Disk = {
  ...{ id: 'd1', name: 'web01', pool: 'vg0', mode: 'thin', state: 'owned', path: '/dev/vg0/web01', settings: {} },
  ...{ size: 2n * GiB, virtualSize: 8n * GiB, end: GiB, owner: undefined },
  ...{ createdOn: undefined, createdAt: undefined, lastExtendedAt: undefined },
};
const guarded = (more: Partial<Guarded> = {}): Guarded => ({
  ...guard(disk, {
    ...{ vm: 'uuid-of-web', target: 'vda', path: disk.path, allocation: 0n, physical: GiB, capacity: 8n * GiB },
    ...{ writtenBytes: 0n, threshold: undefined, stopped: undefined },
  }),
  ...more,
});

test('of a disk that was only seen so far there is how far it is written, and what is free', () => {
  const { written, free, perSecond, armedAt, fullIn, extended, took, held } = statusOf(guarded(), 0);
  assert.equal([written, free, perSecond], [GiB, GiB, 0n]);
  assert.equal([armedAt, fullIn, extended, took, held], Array(5).fill(undefined));
});

test('a guest that writes has a speed, and a time until its disk is full', () => {
  const busy = guarded();
  sawFill(busy, GiB, 0);
  sawFill(busy, GiB + 64n * MiB, 1_000);
  const { perSecond, fullIn } = factsOf(busy, 1_000);
  assert.equal([perSecond, fullIn], [64n * MiB, 15_000]);
});

test('the last extension is told, with the time that it took', () => {
  const at = new Date(0);
  const extension = { at: new Date(1), from: 1n, to: 2n, milliseconds: 3 };
  const { extended, took } = statusOf(guarded({ history: [extension, { ...extension, at, milliseconds: 210.4 }] }), 0);
  assert.equal([extended, took], [at, 210]);
});

test('nothing is free for a guest whose failed write was beyond the end', () => {
  assert.is(factsOf(guarded({ fill: 2n * GiB + 1n }), 0).free, 0n);
});

test('that its guest stands still comes before why it is held', () => {
  const held = 'pool vg0 is full';
  assert.is(factsOf(guarded({ held }), 0).held, 'pool vg0 is full');
  assert.is(factsOf(guarded({ held, stopped: 'io-error' }), 0).held, 'its guest stands still');
  assert.is(factsOf(guarded({ held, stopped: 'other' }), 0).held, 'pool vg0 is full');
});

test('a VM goes by its name where the owner has one, else by what the hypervisor calls it', () => {
  const named = { ...disk, owner: { vm: 'uuid-of-web', vmName: 'web', target: 'vda', readOnly: false } };
  const { disk: name, vm, target, size } = statusOf(guarded({ disk: named }), 0);
  assert.equal([name, vm, target, size], ['vg0/web01', 'web', 'vda', 2n * GiB]);
  assert.is(statusOf(guarded(), 0).vm, 'uuid-of-web');
});

test('a plan says what would be done, and why', () => {
  const plan = (extendTo: bigint | undefined, armAt: bigint | undefined, fault?: string) =>
    planOf(guarded(), { extendTo, armAt, fault }, false);
  assert.equal(plan(3n * GiB, 2n * GiB), {
    ...{ disk: 'vg0/web01', size: 2n * GiB, written: GiB, extendTo: 3n * GiB, armAt: 2n * GiB },
    because: '1 GiB free is too little',
  });
  assert.is(plan(undefined, GiB).because, '1 GiB free is enough');
  assert.is(plan(undefined, undefined).because, 'its whole image fits');
  assert.is(plan(undefined, GiB, 'it failed: x').because, '1 GiB free is enough (the policy: it failed: x)');
});

test('a plan for a guest that ran beyond the end says that nothing is free', () => {
  const beyond = guarded({ fill: 2n * GiB + MiB });
  assert.is(
    planOf(beyond, { extendTo: 3n * GiB, armAt: 2n * GiB, fault: undefined }, false).because,
    '0 B free is too little',
  );
});

test('for a disk that is switched off nothing is planned', () => {
  const { extendTo, armAt, because } = planOf(guarded(), { extendTo: 3n * GiB, armAt: GiB, fault: undefined }, true);
  assert.equal([extendTo, armAt, because], [undefined, undefined, 'it is switched off']);
});

test.run();
