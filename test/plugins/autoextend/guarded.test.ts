import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Disk } from '../../../core/capabilities/disks.ts';
import type { BlockStatistics } from '../../../core/capabilities/hypervisor.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { guard, hasRoom, letGo, observe, sawFill, secondsToFull } from '../../../plugins/autoextend/guarded.ts';

const disk: Disk = {
  ...{ id: 'd1', name: 'web01', pool: 'vg0', mode: 'thin', state: 'owned', path: '/dev/vg0/web01', settings: {} },
  ...{ size: GiB, virtualSize: 8n * GiB, end: 100n * MiB },
  ...{ createdOn: undefined, createdAt: undefined, lastExtendedAt: undefined, owner: undefined },
};
const device = (more: Partial<BlockStatistics> = {}): BlockStatistics => ({
  ...{ vm: 'web', target: 'vda', path: disk.path, allocation: 0n, physical: GiB, capacity: 8n * GiB },
  ...{ writtenBytes: 0n, threshold: undefined, stopped: undefined },
  ...more,
});
const fresh = () => guard(disk, device());

test('a disk is written as far as is kept with its volume, until more is seen', () => {
  const guarded = fresh();
  assert.is(guarded.fill, 100n * MiB);
  observe(guarded, disk, device({ allocation: 20n * MiB }), 1);
  assert.is(guarded.fill, 100n * MiB);
  observe(guarded, disk, device({ allocation: 200n * MiB }), 2);
  assert.is(guarded.fill, 200n * MiB);
});

test('a QEMU that has started anew and counts from 0 takes nothing back', () => {
  const guarded = fresh();
  observe(guarded, disk, device({ allocation: 500n * MiB }), 1);
  observe(guarded, disk, device({ allocation: 0n }), 2);
  observe(guarded, disk, device({ allocation: undefined }), 3);
  assert.is(guarded.fill, 500n * MiB);
});

test('a look at a volume that has grown since does not make it smaller', () => {
  const guarded = fresh();
  guarded.physical = 2n * GiB;
  observe(guarded, disk, device(), 1);
  assert.is(guarded.physical, 2n * GiB);
  observe(guarded, { ...disk, size: 3n * GiB }, device(), 2);
  assert.is(guarded.physical, 3n * GiB);
});

test('a look that began before a crossing or an arming says nothing about the threshold', () => {
  const guarded = fresh();
  guarded.armed = { offset: undefined, asOf: 10 };
  observe(guarded, disk, device({ threshold: 700n * MiB }), 10);
  assert.is(guarded.armed.offset, undefined);
  observe(guarded, disk, device({ threshold: 700n * MiB }), 11);
  assert.equal(guarded.armed, { offset: 700n * MiB, asOf: 11 });
  observe(guarded, disk, device(), 12);
  assert.is(guarded.armed.offset, undefined, 'nor does a lost one count as armed');
});

test('a look that began before its VM was let go does not say that it stands still', () => {
  const guarded = fresh();
  observe(guarded, disk, device({ stopped: 'io-error' }), 1);
  assert.is(guarded.stopped, 'io-error');
  letGo(guarded, 5);
  observe(guarded, disk, device({ stopped: 'io-error' }), 4);
  assert.is(guarded.stopped, undefined);
  observe(guarded, disk, device({ stopped: 'io-error' }), 6);
  assert.is(guarded.stopped, 'io-error');
});

test('where the hypervisor names no source, it is the path of the volume', () => {
  assert.is(guard(disk, device({ path: undefined })).path, '/dev/vg0/web01');
  const guarded = fresh();
  observe(guarded, disk, device({ path: '/dev/mapper/vg0-web01' }), 1);
  assert.is(guarded.path, '/dev/mapper/vg0-web01');
});

test('at its present speed a guest is full when what is free is written; an idle one never, a full one now', () => {
  const guarded = fresh();
  assert.is(secondsToFull(guarded, 0), Number.POSITIVE_INFINITY);
  sawFill(guarded, 100n * MiB, 0);
  sawFill(guarded, 124n * MiB, 1_000);
  const seconds = secondsToFull(guarded, 1_000);
  assert.ok(Math.abs(seconds - 900 / 24) < 0.01, `${seconds}`);
  sawFill(guarded, GiB + MiB, 61_000);
  assert.is(secondsToFull(guarded, 61_000), 0);
});

test('a guest that stood still can go on with 16 MiB, and not with less', () => {
  const guarded = fresh();
  guarded.fill = GiB - 16n * MiB;
  assert.ok(hasRoom(guarded));
  guarded.fill += 1n;
  assert.not(hasRoom(guarded));
  guarded.fill = GiB + MiB;
  assert.not(hasRoom(guarded), 'a write that failed counts');
});

test.run();
