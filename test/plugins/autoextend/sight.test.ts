import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Disk } from '../../../core/capabilities/disks.ts';
import type { BlockStatistics } from '../../../core/capabilities/hypervisor.ts';
import { sightingsOf } from '../../../plugins/autoextend/sight.ts';

const disk = (name: string, path: string): Disk => ({
  ...{ id: name, name, pool: 'vg0', mode: 'thin', size: 1n, virtualSize: 1n, path, state: 'owned', settings: {} },
  ...{ createdOn: undefined, createdAt: undefined, lastExtendedAt: undefined, end: undefined, owner: undefined },
});
const device = (target: string, path: string | undefined): BlockStatistics => ({
  ...{ vm: 'web', target, path, allocation: 0n, physical: 0n, capacity: 0n, writtenBytes: 0n },
  ...{ threshold: undefined, stopped: undefined },
});
const names = async (statistics: readonly BlockStatistics[], disks: readonly Disk[]) =>
  (await sightingsOf(statistics, disks)).map((seen) => `${seen.device.target} is ${seen.disk.name}`);

test('a device is known by its path, also while nothing is there to look at', async () => {
  assert.equal(await names([device('vda', '/dev/vg0/gone')], [disk('d', '/dev/vg0/gone')]), ['vda is d']);
});

test('what is no disk of ours, or has no source, is nobody', async () => {
  assert.equal(await names([device('vda', '/dev/null'), device('hda', undefined)], [disk('d', '/dev/vg0/d')]), []);
});

test('two files that are no devices are not taken for the same one', async () => {
  assert.equal(await names([device('vda', '/etc/hostname')], [disk('d', '/etc/passwd')]), []);
});

test.run();
