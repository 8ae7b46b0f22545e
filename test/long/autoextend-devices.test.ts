// Thin disks grow under their guests, by what the hypervisor tells alone, whatever is done to their devices.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Daemon } from '../testbed/daemon.ts';
import type { Guest } from '../testbed/index.ts';
import { type Bed, makeBed } from './autoextend-bed.ts';

const test = suite('autoextend and devices');
let bed: Bed;
let daemon: Daemon;
let web: Guest;

test.before(async () => {
  bed = await makeBed('autoextend-devices');
  daemon = await bed.start('events');
  web = await bed.host.guest('web');
});

test.after(async () => {
  await bed?.host[Symbol.asyncDispose]();
});

test('two disks of one VM that cross together are both ahead again', async () => {
  const both = [await bed.give('vg-sltv/left', web), await bed.give('vg-sltv/right', web)];
  // A suspended daemon hears both at once.
  await bed.host.run(`kill -STOP ${daemon.pid}`);
  const sizes = new Map<(typeof both)[number], bigint>();
  for (const disk of both) sizes.set(disk, await disk.cross());
  await bed.host.run(`kill -CONT ${daemon.pid}`);
  for (const [{ disk }, size] of sizes) await bed.grown(disk, size);
  for (const disk of both) {
    await disk.armed();
    await disk.isWhole();
  }
});

test('a disk that somebody attached by hand, by another name of its device, is kept ahead', async () => {
  await bed.create('vg-sltv/byhand');
  await bed.host.run('lvchange -ay vg-sltv/byhand');
  const xml = `<disk type='block' device='disk'>
    <driver name='qemu' type='qcow2' cache='none' io='native' error_policy='enospace'/>
    <source dev='/dev/mapper/vg--sltv-byhand'/><target dev='vdx' bus='virtio'/></disk>`;
  await bed.host.run('virsh attach-device web /dev/stdin --live', { input: xml });
  const byHand = await bed.filling('vg-sltv/byhand', web, 'vdx');
  await byHand.outgrow();
  await byHand.isWhole();
});

test('a copy that a guest was moved to is guarded after the pivot', async () => {
  const moved = await bed.give('vg-sltv/original', web);
  await moved.write(8);
  const size = await bed.size('vg-sltv/original');
  await bed.create('vg-sltv/copy');
  await bed.host.run('lvchange -ay vg-sltv/copy');
  await bed.host.run(
    `virsh blockcopy web ${moved.target} /dev/vg-sltv/copy --blockdev --format qcow2 --reuse-external --transient-job --wait --pivot`,
    { timeout: 240_000 },
  );
  moved.disk = 'vg-sltv/copy';
  await moved.armed();
  await moved.outgrow();
  assert.is(await bed.size('vg-sltv/original'), size);
  await moved.isWhole();
});

test.run();
