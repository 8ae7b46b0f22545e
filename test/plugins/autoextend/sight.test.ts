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

test('a device under another name of our volume is known by its number', async () => {
  const numbers: Readonly<Record<string, string>> = {
    ...{ '/dev/vg0/a': '253:1', '/dev/mapper/vg0-a': '253:1' },
    ...{ '/dev/vg0/b': '253:2', '/dev/mapper/vg1-c': '253:3' },
  };
  const disks = [disk('a', '/dev/vg0/a'), disk('b', '/dev/vg0/b'), disk('inactive', '/dev/vg0/inactive')];
  const devices = ['/dev/mapper/vg0-a', '/dev/mapper/vg1-c', '/dev/vg0/b', '/nowhere'].map((path, at) =>
    device(`vd${at}`, path),
  );
  const found = await sightingsOf(devices, disks, async (path) => numbers[path]);
  assert.equal(
    found.map((seen) => `${seen.device.target} is ${seen.disk.name}`),
    ['vd0 is a', 'vd2 is b'],
  );
});

test('where all paths are ours no device is looked at', async () => {
  const refuse = () => Promise.reject(new Error('looked at'));
  assert.is((await sightingsOf([device('vda', '/dev/vg0/a')], [disk('a', '/dev/vg0/a')], refuse)).length, 1);
});

test.run();
