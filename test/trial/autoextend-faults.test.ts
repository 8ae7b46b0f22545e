// Thin disks that grow under their guests, by what the hypervisor tells alone: whatever is restarted, killed or moved meanwhile.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import type { Daemon } from '../testbed/daemon.ts';
import type { Guest } from '../testbed/index.ts';
import { type Bed, makeBed } from './autoextend-bed.ts';

const test = suite('autoextend in trouble');
let bed: Bed;
let daemon: Daemon;
let web: Guest;

test.before(async () => {
  bed = await makeBed('autoextend-faults');
  daemon = await bed.start('events');
  await bed.host.run('sltv init --hooks && kill -HUP $(cat /run/libvirtd.pid)');
  web = await bed.host.guest('web');
});

test.after(async () => {
  await bed?.host[Symbol.asyncDispose]();
});

test('two disks of one VM that cross together are both ahead again', async () => {
  const [left, right] = [await bed.give('vg-sltv/left', 'web'), await bed.give('vg-sltv/right', 'web')];
  await web.write('20M', { disk: left, mark: 1 });
  await web.write('20M', { disk: right, mark: 1 });
  // A suspended daemon hears both at once.
  await bed.host.run(`kill -STOP ${daemon.pid}`);
  await web.write('28M', { disk: left, at: '20M', mark: 2 });
  await web.write('28M', { disk: right, at: '20M', mark: 2 });
  await bed.host.run(`kill -CONT ${daemon.pid}`);
  await bed.grown('vg-sltv/left', 64);
  await bed.grown('vg-sltv/right', 64);
  for (const disk of [left, right]) {
    await bed.armed('web', disk);
    await web.verify('20M', { disk, mark: 1 });
    await web.verify('28M', { disk, at: '20M', mark: 2 });
  }
  await bed.isClean('vg-sltv/left');
  await bed.isClean('vg-sltv/right');
});

test('thresholds are armed again after libvirtd was restarted under a guest', async () => {
  const target = await bed.give('vg-sltv/restarted', 'web');
  await bed.host.run('kill $(pidof libvirtd); while pidof libvirtd > /dev/null; do sleep 0.1; done; libvirtd -d');
  await bed.armed('web', target);
  await web.write('48M', { disk: target, mark: 3 });
  await bed.grown('vg-sltv/restarted', 64);
  await web.verify('48M', { disk: target, mark: 3 });
  await bed.isClean('vg-sltv/restarted');
});

test('a daemon that is killed between a crossing and the extension is followed by one that extends', async () => {
  const target = await bed.give('vg-sltv/killed', 'web');
  await bed.close();
  await web.write('48M', { disk: target, mark: 5 });
  await bed.held();
  await daemon.kill();
  // The extension never happens: the process that was to make it goes, too.
  await bed.host.run('kill -9 $(cat /run/held); rm /run/gate');
  assert.is(await bed.size('vg-sltv/killed'), 64n * MiB);
  daemon = await bed.start('events');
  await bed.grown('vg-sltv/killed', 64);
  await bed.armed('web', target);
  await web.write('60M', { disk: target, at: '48M', mark: 6 });
  await bed.grown('vg-sltv/killed', 108);

  // Here it does happen, while the next daemon starts.
  await bed.armed('web', target);
  await bed.close();
  const writing = web.write('60M', { disk: target, at: '108M', mark: 7, timeout: 120_000 });
  await bed.held();
  await daemon.kill();
  daemon = await bed.start('events', async (log) => {
    for await (const line of log) if (/still writing|\bready\b/.test(line)) break;
    await bed.open();
  });
  await writing;
  await bed.grown('vg-sltv/killed', 168);
  await web.verify('48M', { disk: target, mark: 5 });
  await web.verify('60M', { disk: target, at: '48M', mark: 6 });
  await web.verify('60M', { disk: target, at: '108M', mark: 7 });
  await bed.isClean('vg-sltv/killed');
});

test('a VM that was restarted with the end of its image near the end of the volume runs ahead again', async () => {
  const again = await bed.host.guest('again');
  const target = await bed.give('vg-sltv/near', 'again');
  // Nobody knows how far it was written.
  await daemon.kill();
  await again.write('60M', { disk: target, mark: 11 });
  await again.destroy();
  daemon = await bed.start('events');
  await again.start();
  const { stdout } = await bed.host.run('virsh domstats --block again');
  assert.match(stdout, /allocation=0$/m);
  await bed.armed('again', target);
  await again.write('80M', { disk: target, at: '60M', mark: 12, timeout: 180_000 });
  await bed.grown('vg-sltv/near', 140);
  await again.verify('60M', { disk: target, mark: 11 });
  await again.verify('80M', { disk: target, at: '60M', mark: 12 });

  // Somebody does.
  const before = await bed.size('vg-sltv/near');
  await again.destroy();
  await again.start();
  await bed.armed('again', target);
  await again.write('60M', { disk: target, at: '140M', mark: 13, timeout: 180_000 });
  await bed.until(`[ $(blockdev --getsize64 /dev/vg-sltv/near) -gt ${before} ]`);
  await bed.grown('vg-sltv/near', 200);
  await again.verify('60M', { disk: target, at: '140M', mark: 13 });
  assert.is(await again.state(), 'running');
  await bed.isClean('vg-sltv/near');
  await again.destroy();
});

test('a disk that somebody attached by hand, by another name of its device, is kept ahead', async () => {
  await bed.create('vg-sltv/byhand');
  await bed.host.run('lvchange -ay vg-sltv/byhand');
  const xml = `<disk type='block' device='disk'>
    <driver name='qemu' type='qcow2' cache='none' io='native' error_policy='enospace'/>
    <source dev='/dev/mapper/vg--sltv-byhand'/><target dev='vdx' bus='virtio'/></disk>`;
  await bed.host.run('virsh attach-device web /dev/stdin --live', { input: xml });
  await bed.armed('web', 'vdx');
  await web.write('48M', { disk: 'vdx', mark: 4 });
  await bed.grown('vg-sltv/byhand', 64);
  await web.verify('48M', { disk: 'vdx', mark: 4 });
  await bed.isClean('vg-sltv/byhand');
});

test('a copy that a guest was moved to is guarded after the pivot', async () => {
  const target = await bed.give('vg-sltv/original', 'web');
  await web.write('8M', { disk: target, mark: 8 });
  await bed.create('vg-sltv/copy');
  await bed.host.run('lvchange -ay vg-sltv/copy');
  await bed.host.run(
    `virsh blockcopy web ${target} /dev/vg-sltv/copy --blockdev --format qcow2 --reuse-external --transient-job --wait --pivot`,
    { timeout: 120_000 },
  );
  await bed.armed('web', target);
  await web.write('40M', { disk: target, at: '8M', mark: 9 });
  await bed.grown('vg-sltv/copy', 64);
  assert.is(await bed.size('vg-sltv/original'), 64n * MiB);
  await web.verify('8M', { disk: target, mark: 8 });
  await web.verify('40M', { disk: target, at: '8M', mark: 9 });
  await bed.isClean('vg-sltv/copy');
});

test.run();
