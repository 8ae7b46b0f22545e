// What users do with the disks of guests, on one host: LVM, libvirt and guests that really write and really let go.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import { type Daemon, GROWN_BY_HAND, startDaemon } from '../testbed/daemon.ts';
import { type Guest, type Host, testbed } from '../testbed/index.ts';
import { ask, atRest, bytes, disk, succeed } from './api.ts';
import { contradictions, look } from './facts.ts';

const test = suite('disks of guests');
let host: Host;
let daemon: Daemon;
let web: Guest;

const thick = (name: string, vg = 'vg-sltv') =>
  succeed(host, { method: 'CreateDisk', body: { name, vg, sizeBytes: bytes(16) } });
const thin = (name: string, vg = 'vg-sltv') =>
  succeed(host, {
    method: 'CreateDisk',
    body: { name, vg, mode: 'PROVISION_MODE_THIN', sizeBytes: bytes(16), virtualSizeBytes: bytes(256) },
  });
/** Where in the VM it is then. */
async function attach(diskName: string, vmName: string, more: object = {}): Promise<string> {
  const text = await succeed(host, { method: 'AttachDisk', body: { diskName, vmName, ...more } });
  return /"targetDev":"(.*?)"/.exec(text)?.[1] ?? '';
}
const detach = (diskName: string, vmName: string) =>
  succeed(host, { method: 'DetachDisk', body: { diskName, vmName } });
const stateOf = async (name: string) => (await disk(host, name)).state;
const isActive = async (name: string) => (await look(host)).active.includes(`vg-sltv/${name}`);
const mustFit = async () => assert.equal(contradictions(await look(host)), []);

async function failureOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'it succeeded',
    (error: unknown) => String(error),
  );
}

test.before(async () => {
  host = await testbed.host({ name: 'guests', disks: ['1G'], memory: 1024, files: GROWN_BY_HAND });
  await host.run('vgcreate -q vg-sltv /dev/vda');
  daemon = await startDaemon(host);
  // libvirtd looks for hooks when it is told to reload, too.
  await host.run('sltv init --hooks && kill -HUP $(cat /run/libvirtd.pid)');
  web = await host.guest('web');
});

test.after(async () => {
  await host?.[Symbol.asyncDispose]();
});

test('a disk attached to a running VM at a target of choice is there again when the VM was off', async () => {
  await thick('lasting');
  assert.is(await attach('lasting', 'web', { targetDev: 'vdd' }), 'vdd');
  await web.write('2M', { disk: 'vdd', mark: 1 });
  await web.shutdown();
  assert.not(await isActive('lasting'));
  await web.start();
  await web.verify('2M', { disk: 'vdd', mark: 1 });
  await mustFit();
});

test('a disk attached read-only can be read and not written', async () => {
  await thick('fixed');
  const target = await attach('fixed', 'web');
  await web.write('1M', { disk: target, mark: 2 });
  await detach('fixed', 'web');
  const again = await attach('fixed', 'web', { readOnly: true });
  await web.verify('1M', { disk: again, mark: 2 });
  assert.match(await failureOf(web.write('1M', { disk: again, mark: 3 })), /reports error/);
  await web.verify('1M', { disk: again, mark: 2 });
  assert.match(await succeed(host, { method: 'ListAttachments', body: { diskName: 'fixed' } }), '"readOnly":true');
  await detach('fixed', 'web');
});

test('two disks attached at once get a target each', async () => {
  await thick('left');
  await thin('right');
  const targets = await Promise.all([attach('left', 'web'), attach('right', 'web')]);
  assert.equal(targets.toSorted(), ['vda', 'vdb']);
  const [left = '', right = ''] = targets;
  assert.equal([await web.size(left), await web.size(right)], [16n * MiB, 256n * MiB]);
  await mustFit();
  await Promise.all([detach('left', 'web'), detach('right', 'web')]);
  assert.equal([await web.sees(left), await web.sees(right)], [false, false]);
  await mustFit();
});

test('a thick disk grows under a guest that writes, and the guest sees it', async () => {
  const target = await attach('left', 'web');
  const writing = web.write('12M', { disk: target, at: '2M', mark: 4 });
  await succeed(host, { method: 'ExtendDisk', body: { name: 'left', deltaBytes: bytes(16) } });
  await succeed(host, { method: 'ExtendDisk', body: { name: 'left', sizeBytes: bytes(64) } });
  await writing;
  assert.is(await web.size(target), 64n * MiB);
  await web.write('4M', { disk: target, at: '60M', mark: 5 });
  await web.verify('12M', { disk: target, at: '2M', mark: 4 });
  await detach('left', 'web');
});

test('a thin disk’s volume grows and the guest sees what it saw; a resize it sees', async () => {
  const target = await attach('right', 'web');
  await web.write('8M', { disk: target, mark: 6 });
  await succeed(host, { method: 'ExtendDisk', body: { name: 'right', sizeBytes: bytes(64) } });
  assert.is(await web.size(target), 256n * MiB);
  await succeed(host, { method: 'ResizeDisk', body: { name: 'right', virtualSizeBytes: bytes(512) } });
  assert.is(await web.size(target), 512n * MiB);
  // Past the old end of the volume, and of the disk.
  await web.write('24M', { disk: target, at: '400M', mark: 7 });
  await web.verify('8M', { disk: target, mark: 6 });
  await web.verify('24M', { disk: target, at: '400M', mark: 7 });
  const shrink = await ask(host, { method: 'ResizeDisk', body: { name: 'right', virtualSizeBytes: bytes(256) } });
  assert.match(shrink.text, 'core/no-shrink');
  await mustFit();
});

test('a paused VM gets a disk, and has it when it goes on; it gives one back when it goes on', async () => {
  await host.run('virsh -q suspend web');
  const target = await attach('left', 'web');
  const answer = await ask(host, { method: 'DetachDisk', body: { diskName: 'right', vmName: 'web' } });
  assert.match(answer.text, 'core/detach-unanswered');
  await host.run('virsh -q resume web');
  await web.verify('12M', { disk: target, at: '2M', mark: 4 });
  await atRest(host);
  assert.equal([await stateOf('left'), await stateOf('right')], ['owned', 'ready']);
  await mustFit();
});

test('a guest that does not let go keeps the disk, whatever restarts, until it does', async () => {
  const { targetDev: target } = await disk(host, 'left');
  await web.ignoreUnplug(true);
  const answer = await ask(host, { method: 'DetachDisk', body: { diskName: 'left', vmName: 'web' } });
  assert.match(answer.text, 'core/detach-unanswered');
  assert.is(await stateOf('left'), 'detaching');
  assert.match((await ask(host, { method: 'DeleteDisk', body: { name: 'left' } })).text, 'core/disk-attached');

  assert.is(await daemon.stop(), 0);
  daemon = await startDaemon(host);
  assert.is(await stateOf('left'), 'detaching');

  await host.run('kill $(cat /run/libvirtd.pid) && while [ -e /run/libvirtd.pid ]; do sleep 0.1; done; libvirtd -d');
  // It has to have found the VM's devices again: libvirt 9.0 ends a VM that lets go of one while it looks.
  await host.run('virsh -q domblkerror web', { timeout: 60_000 });
  assert.is(await stateOf('left'), 'detaching');
  await web.verify('12M', { disk: target, at: '2M', mark: 4 });

  await web.ignoreUnplug(false);
  await atRest(host);
  assert.is(await stateOf('left'), 'ready');
  assert.not(await web.sees(target));
  await mustFit();
});

test('a guest that does not let go keeps the disk until its VM is off', async () => {
  const target = await attach('left', 'web');
  await web.verify('12M', { disk: target, at: '2M', mark: 4 });
  await web.ignoreUnplug(true);
  assert.match(
    (await ask(host, { method: 'DetachDisk', body: { diskName: 'left', vmName: 'web' } })).text,
    'core/detach-unanswered',
  );
  await web.destroy();
  await atRest(host);
  assert.is(await stateOf('left'), 'ready');
  await mustFit();
  await web.start();
  await web.verify('2M', { disk: 'vdd', mark: 1 });
});

test('a disk whose VM was undefined by hand is in conflict, and a detach frees it', async () => {
  await host.guest('doomed', { start: false });
  await attach('right', 'doomed');
  await host.run('virsh -q undefine doomed');
  assert.is(await stateOf('right'), 'conflict');
  await detach('right', 'doomed');
  assert.is(await stateOf('right'), 'ready');
  const target = await attach('right', 'web');
  await web.verify('24M', { disk: target, at: '400M', mark: 7 });
});

test('a disk that is a file serves a guest as well', async () => {
  await thick('file', 'disks');
  await thin('image', 'disks');
  const [raw, image] = [await attach('file', 'web'), await attach('image', 'web')];
  for (const target of [raw, image]) await web.write('8M', { disk: target, mark: 8 });
  await succeed(host, { method: 'ExtendDisk', body: { name: 'file', deltaBytes: bytes(16) } });
  await succeed(host, { method: 'ResizeDisk', body: { name: 'image', virtualSizeBytes: bytes(512) } });
  assert.equal([await web.size(raw), await web.size(image)], [32n * MiB, 512n * MiB]);
  for (const target of [raw, image]) await web.verify('8M', { disk: target, mark: 8 });
  await detach('file', 'web');
  await detach('image', 'web');
  for (const name of ['file', 'image']) await succeed(host, { method: 'DeleteDisk', body: { name } });
  assert.is((await host.run('ls /var/lib/sltv/disks')).stdout, '');
});

test.run();
