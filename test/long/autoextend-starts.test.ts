// A thin disk grows under a VM that was started anew, whose QEMU counts from 0 though the image is written nearly to the end.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import type { Daemon } from '../testbed/daemon.ts';
import type { Guest } from '../testbed/index.ts';
import { type Bed, type Filling, makeBed } from './autoextend-bed.ts';

const test = suite('autoextend and starts');
let bed: Bed;
let daemon: Daemon;
let web: Guest;
let near: Filling;

test.before(async () => {
  bed = await makeBed('autoextend-starts');
  daemon = await bed.start('events');
  // libvirtd looks for hooks when it is told to reload, too.
  await bed.host.run('sltv init --hooks && kill -HUP $(cat /run/libvirtd.pid)');
  web = await bed.host.guest('web');
  near = await bed.give('vg-sltv/near', web);
});

test.after(async () => {
  await bed?.host[Symbol.asyncDispose]();
});

test('a VM that starts near the end of its volume, and nobody knows how near, runs ahead again', async () => {
  await daemon.kill();
  await near.write(60);
  await web.destroy();
  daemon = await bed.start('events');
  await web.start();
  assert.match((await bed.host.run('virsh domstats --block web')).stdout, /allocation=0$/m);
  await near.armed();
  await near.write(80);
  await bed.grown(near.disk, 140n * MiB);
  await near.isWhole();
});

test('a VM that starts near the end of its volume, which the volume tells, runs ahead from the start', async () => {
  await web.destroy();
  await web.start();
  await near.armed();
  await near.write(60);
  await bed.grown(near.disk, 200n * MiB);
  await near.isWhole();
});

test.run();
