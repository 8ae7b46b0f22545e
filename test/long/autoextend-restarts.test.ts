// A thin disk goes on growing under its guest, by what the hypervisor tells alone, whoever dies meanwhile.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Daemon } from '../testbed/daemon.ts';
import { type Bed, type Filling, makeBed } from './autoextend-bed.ts';

const test = suite('autoextend and restarts');
let bed: Bed;
let daemon: Daemon;
let data: Filling;

test.before(async () => {
  bed = await makeBed('autoextend-restarts');
  daemon = await bed.start('events');
  data = await bed.give('vg-sltv/data', await bed.host.guest('web'));
});

test.after(async () => {
  await bed?.host[Symbol.asyncDispose]();
});

test('thresholds are armed again after libvirtd was restarted under a guest', async () => {
  await bed.host.run('kill $(pidof libvirtd); while pidof libvirtd > /dev/null; do sleep 0.1; done; libvirtd -d');
  await data.outgrow();
  await data.isWhole();
});

test('a daemon that is killed between a crossing and the extension is followed by one that extends', async () => {
  await bed.close();
  const size = await data.cross();
  await bed.held();
  await daemon.kill();
  // The extension never happens: the process that was to make it goes, too.
  await bed.host.run('kill -9 $(cat /run/held); rm /run/gate');
  assert.is(await bed.size(data.disk), size);
  daemon = await bed.start('events');
  await bed.grown(data.disk, size);
  await data.armed();
  await data.isWhole();
});

test('an extension that goes on when its daemon is killed is waited for by the next one', async () => {
  await bed.close();
  const size = await data.cross();
  await bed.held();
  await daemon.kill();
  daemon = await bed.start('events', async (log) => {
    for await (const line of log) if (/still writing|\bready\b/.test(line)) break;
    await bed.open();
  });
  await bed.grown(data.disk, size);
  await data.outgrow();
  await data.isWhole();
});

test('a threshold that is crossed while no daemon is there is made good by the next one', async () => {
  await daemon.kill();
  const size = await data.cross();
  daemon = await bed.start('events');
  await bed.grown(data.disk, size);
  await data.outgrow();
  await data.isWhole();
});

test('the guest never stood still', async () => {
  assert.not.match(await daemon.log(), 'a guest stands still');
});

test.run();
