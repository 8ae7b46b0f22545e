// What is known of the disks in running VMs, as a source of metrics, and what each extension measured.
import { type Distribution, durationBounds, GiB, gauge, type Labels, type Metric, MiB, type Sample } from 'sltv';
import { type Guarded, secondsToFull } from './guarded.ts';
import { settingsOf } from './settings.ts';

/** From the decision to a volume that the guest can fill. */
export const ExtensionDuration: Distribution = {
  name: 'sltv_autoextend_extension_duration_seconds',
  help: 'how long it took to extend a disk for its guest, its wait for the pool included',
  labels: [],
  bounds: durationBounds,
};
export const RoomLeft: Distribution = {
  name: 'sltv_autoextend_extension_room_left_bytes',
  help: 'what a guest could still write of the old size when its disk had been extended',
  labels: [],
  bounds: [0n, MiB, 16n * MiB, 64n * MiB, 256n * MiB, GiB, 4n * GiB, 16n * GiB].map(Number),
};

/** Why a disk does not have what it should have. */
type Held = 'paused' | 'off' | 'pool-full' | 'error' | 'unarmed';
const REASONS: readonly Held[] = ['paused', 'off', 'pool-full', 'error', 'unarmed'];

/** `now`: milliseconds, on the clock that disks are watched by. */
export function metricsOf(all: readonly Guarded[], now: number): readonly Metric[] {
  const disks = onceEach(all);
  const held = disks.map((guarded) => ({ guarded, reason: heldBecause(guarded) }));
  const each = (read: (guarded: Guarded) => number | bigint | undefined): readonly Sample[] =>
    disks.flatMap((guarded) => {
      const value = read(guarded);
      return value === undefined ? [] : [{ value, labels: labelsOf(guarded) }];
    });
  return [
    gauge(
      'sltv_autoextend_guarded_disks',
      'thin disks in running VMs, which are kept ahead of their guests',
      disks.length,
    ),
    gauge(
      'sltv_autoextend_held_disks',
      'disks that do not have what they should have, by the reason',
      REASONS.map((reason) => ({ value: held.filter((each) => each.reason === reason).length, labels: { reason } })),
    ),
    gauge(
      'sltv_autoextend_disk_held',
      '1 for a disk that does not have what it should have, with the reason',
      held.flatMap(({ guarded, reason }) =>
        reason === undefined ? [] : [{ value: 1, labels: { ...labelsOf(guarded), reason } }],
      ),
    ),
    gauge(
      'sltv_autoextend_disk_written_bytes',
      'how far the image is written',
      each(({ fill }) => fill),
    ),
    gauge(
      'sltv_autoextend_disk_free_bytes',
      'what the guest can still write before the disk is full',
      each(({ physical, fill }) => (physical > fill ? physical - fill : 0n)),
    ),
    gauge(
      'sltv_autoextend_disk_write_bytes_per_second',
      'how fast the written part of the image grew of late',
      each(({ pace }) => pace.rate(now)),
    ),
    gauge(
      'sltv_autoextend_disk_full_in_seconds',
      'when the disk would be full at that speed; absent while nothing is written',
      each((guarded) => finite(secondsToFull(guarded, now))),
    ),
    gauge(
      'sltv_autoextend_disk_last_extension_seconds',
      'how long the last extension of the disk took',
      each(({ history }) => inSeconds(history.at(-1)?.milliseconds)),
    ),
  ];
}

/** A disk in two VMs, as while one moves, is told of by whichever has written further. */
function onceEach(disks: readonly Guarded[]): readonly Guarded[] {
  const sorted = disks.toSorted((a, b) => (a.fill < b.fill ? -1 : 1));
  return [...new Map(sorted.map((guarded) => [guarded.disk.id, guarded])).values()];
}

/** A guest that stands still comes first: nothing else matters to it. */
function heldBecause({ disk, stopped, held, lacks, unarmed }: Guarded): Held | undefined {
  if (stopped === 'io-error') return 'paused';
  if (settingsOf(disk).isOff) return 'off';
  if (held !== undefined) return lacks > 0n ? 'pool-full' : 'error';
  return unarmed === undefined ? undefined : 'unarmed';
}

const labelsOf = ({ disk }: Guarded): Labels => ({ pool: disk.pool, disk: disk.name });
const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);
const inSeconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : milliseconds / 1000;
