import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Disk } from '../../../core/capabilities/disks.ts';
import type { Metric } from '../../../core/capabilities/metrics.ts';
import { GiB, MiB } from '../../../core/units.ts';
import { type Guarded, guard, sawFill } from '../../../plugins/autoextend/guarded.ts';
import { metricsOf } from '../../../plugins/autoextend/metrics.ts';
import { guestWrites } from '../../fixtures/memory-hypervisor.ts';
import { makeGuests } from './guests.ts';

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
const values = (metrics: readonly Metric[], name: string, label: string) =>
  Object.fromEntries(
    metrics
      .find((metric) => metric.name === `sltv_autoextend_${name}`)
      ?.samples.map(({ labels = {}, value }) => [labels[label] ?? '', value]) ?? [],
  );
const one = (guarded: Guarded, name: string, now = 0) => values(metricsOf([guarded], now), name, 'disk').web01;

test('an idle disk has room, and no time at which it is full', () => {
  const idle = guarded();
  assert.equal(
    ['disk_written_bytes', 'disk_free_bytes', 'disk_write_bytes_per_second'].map((name) => one(idle, name)),
    [GiB, GiB, 0],
  );
  assert.equal(
    ['disk_full_in_seconds', 'disk_last_extension_seconds'].map((name) => one(idle, name)),
    [undefined, undefined],
  );
});

test('one that is written on has a speed, and a time at which it would be full', () => {
  const busy = guarded();
  sawFill(busy, GiB, 0);
  sawFill(busy, GiB + 64n * MiB, 1_000);
  assert.is(one(busy, 'disk_write_bytes_per_second', 1_000), Number(64n * MiB));
  assert.is(one(busy, 'disk_full_in_seconds', 1_000), 15);
  assert.is(one(guarded({ fill: 3n * GiB }), 'disk_free_bytes'), 0n);
});

test('the last extension is told in seconds', () => {
  const history = [{ at: new Date(0), from: 1n, to: 2n, milliseconds: 250 }];
  assert.is(one(guarded({ history }), 'disk_last_extension_seconds'), 0.25);
});

for (const [reason, more] of [
  ['paused', { stopped: 'io-error', held: 'pool vg0 is full', lacks: GiB }],
  ['off', { disk: { ...disk, settings: { 'autoextend.off': '1' } }, held: 'switched off' }],
  ['pool-full', { held: 'pool vg0 is full', lacks: GiB }],
  ['error', { held: 'lvm lvextend failed' }],
  ['unarmed', { unarmed: 'libvirt did not answer' }],
] as const) {
  test(`a disk that is held back says why: ${reason}`, () => {
    const other = { ...disk, id: 'd2', name: 'db01' };
    const metrics = metricsOf([guarded(more), guarded({ disk: other })], 0);
    assert.equal(values(metrics, 'disk_held', 'reason'), { [reason]: 1 });
    const counts = values(metrics, 'held_disks', 'reason');
    assert.equal(Object.keys(counts).toSorted(), ['error', 'off', 'paused', 'pool-full', 'unarmed']);
    assert.is(counts[reason], 1);
    assert.is(
      Object.values(counts).reduce((sum, count) => Number(sum) + Number(count), 0),
      1,
    );
  });
}

test('a disk in two VMs is told of once, as far as it is written', () => {
  const metrics = metricsOf([guarded({ fill: 2n * MiB }), guarded({ fill: MiB })], 0);
  assert.equal(values(metrics, 'disk_written_bytes', 'disk'), { web01: 2n * MiB });
  assert.is(metrics[0]?.samples[0]?.value, 1);
});

test('an extension measures its time, and what the guest had left of the old size', async () => {
  await using guests = await makeGuests();
  await guests.keeper.look();
  const before = guests.size();
  const { length } = guests.daemon.told;
  guestWrites(guests.vm, 'vda', before - 3n * MiB);
  await guests.keeper.look();
  assert.ok(guests.size() > before, 'it was extended');
  const measured = guests.daemon.told
    .slice(length)
    .flatMap(({ id, what }) => (id === 'measured' ? [what as { of: { name: string }; value: number }] : []));
  assert.equal(
    measured.map(({ of: { name } }) => name),
    ['sltv_autoextend_extension_duration_seconds', 'sltv_autoextend_extension_room_left_bytes'],
  );
  assert.is(measured[1]?.value, Number(3n * MiB));
});

test.run();
