// Volumes made by hand become disks under a guest that runs with them, and are let go again: LVM, libvirt and a guest that writes.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { atRest, disk } from '../e2e/api.ts';
import { look } from '../e2e/facts.ts';
import { type Daemon, GROWN_BY_HAND, startDaemon } from '../testbed/daemon.ts';
import { type Guest, type Host, testbed } from '../testbed/index.ts';

const test = suite('adopted disks');
let host: Host;
let daemon: Daemon;
let web: Guest;

const isActive = async (name: string) => (await look(host)).active.includes(`vg-sltv/${name}`);
/** LVM's own word on what is under way. */
const underWay = async () => (await host.run('lvs --noheadings -o lv_tags vg-sltv')).stdout.match(/sltv:op=\S+/)?.[0];
/** What it says to who typed it, when it does not do it. */
const refusal = async (typed: string) => (await host.run(typed, { allowFailure: true })).stderr;

test.before(async () => {
  host = await testbed.host({ name: 'adopt', disks: ['1G', '1G'], memory: 1024, files: GROWN_BY_HAND });
  await host.run('vgcreate -q vg-sltv /dev/vda /dev/vdb');
  await host.run('for name in image plain idle mounted; do lvcreate -q -y -L 16m -n $name vg-sltv; done');
  await host.run('qemu-img create -q -f qcow2 /dev/vg-sltv/image 256M');
  await host.run('mkfs.ext4 -q /dev/vg-sltv/mounted && mount /dev/vg-sltv/mounted /mnt');
  web = await host.guest('web', {
    disks: [
      // As virt-install and people spell it.
      { path: '/dev/mapper/vg--sltv-image', format: 'qcow2', target: 'vdb' },
      { path: '/dev/vg-sltv/plain', format: 'raw', target: 'vdc' },
    ],
  });
  await web.write('2M', { disk: 'vdb', mark: 1 });
  await web.write('2M', { disk: 'vdc', mark: 2 });
  daemon = await startDaemon(host);
});

test.after(async () => {
  await host?.[Symbol.asyncDispose]();
});

test('all of a group: the guest goes on, and what the host itself uses is left with its reason', async () => {
  const { stdout, stderr } = await host.run('sltv disk adopt --all');
  assert.match(stdout, /^image .*thin .*owned .*qcow2, as web has it$/m);
  assert.match(stdout, /^plain .*thick .*owned .*raw, as web has it$/m);
  assert.match(stdout, /^idle .*thick .*ready .*raw: no VM has it/m);
  assert.match(stderr, /vg-sltv\/mounted is left as it is: .*open on this host[^[]*\[lvm\/in-use\]/);
  await web.verify('2M', { disk: 'vdb', mark: 1 });
  await web.verify('2M', { disk: 'vdc', mark: 2 });
  assert.equal([await isActive('image'), await isActive('plain'), await isActive('idle')], [true, true, false]);
  assert.equal([await isActive('mounted'), (await host.run('ls /mnt')).stdout.trim()], [true, 'lost+found']);
});

test('an adopted thin disk grows under its guest, and a thick one with what the guest sees', async () => {
  await host.run('sltv disk extend image --size 64M');
  await web.write('24M', { disk: 'vdb', at: '8M', mark: 3 });
  await web.verify('24M', { disk: 'vdb', at: '8M', mark: 3 });
  await host.run('sltv disk extend plain --size 32M');
  assert.is(await web.size('vdc'), 32n * 1024n ** 2n);
});

test('what is more than a volume by itself is no disk', async () => {
  await host.run('lvcreate -q -y -s -L 8m -n snap vg-sltv/mounted');
  await host.run('lvcreate -q -y --type raid1 -m1 -L 16m -n mirrored vg-sltv');
  await host.run(
    'lvcreate -q -y --type thin-pool -L 32m -n pool vg-sltv && lvcreate -q -y -V 64m --thinpool pool -n inpool vg-sltv',
  );
  const words: Readonly<Record<string, string>> = {
    snap: 'a snapshot',
    mounted: 'the origin of a snapshot',
    mirrored: 'a RAID',
    pool: 'a pool of volumes',
    inpool: "a volume of LVM's own thin provisioning",
    mirrored_rimage_0: "LVM keeps names with '_rimage' in them for itself",
  };
  for (const [name, what] of Object.entries(words))
    assert.match(await refusal(`sltv disk adopt vg-sltv/${name}`), what);
});

test('a daemon that dies at an adoption leaves a disk or a volume, and the guest does not notice', async () => {
  await host.run('sltv disk forget plain --attached');
  const dying = host.run('sltv disk adopt plain', { allowFailure: true });
  await daemon.kill();
  await dying;
  daemon = await startDaemon(host);
  await host.run('sltv disk show plain || sltv disk adopt plain');
  await atRest(host);
  await web.verify('2M', { disk: 'vdc', mark: 2 });
  assert.equal([await underWay(), (await disk(host, 'plain')).state], [undefined, 'owned']);
});

test('by whatever name the VM has it, the volume sleeps while the VM is off and is there at its start', async () => {
  await host.run('sltv init --hooks && kill -HUP $(cat /run/libvirtd.pid)');
  await web.shutdown();
  assert.equal([await isActive('image'), await isActive('plain')], [false, false]);
  await web.start();
  await web.verify('24M', { disk: 'vdb', at: '8M', mark: 3 });
  assert.is((await disk(host, 'image')).state, 'owned');
});

test('a disk of a VM is let go only by who says so; the VM keeps it, and has it after the next start', async () => {
  assert.match(await refusal('sltv disk forget image'), 'sltv disk forget vg-sltv/image --attached');
  await host.run('sltv disk forget image --attached');
  await web.shutdown();
  await web.start();
  await web.verify('24M', { disk: 'vdb', at: '8M', mark: 3 });
  const { stdout } = await host.run('lvs --noheadings -o lv_autoactivation,lv_tags vg-sltv/image');
  assert.is(stdout.trim(), 'enabled');
  await host.run('sltv disk adopt /dev/mapper/vg--sltv-image');
  assert.is((await disk(host, 'image')).state, 'owned');
});

test('the volume group alone brings its disks to a new host', async () => {
  await web.shutdown();
  await daemon.stop();
  await host.run('find /var/lib/sltv -mindepth 1 -delete && dbus-uuidgen > /etc/machine-id && hostname moved');
  daemon = await startDaemon(host);
  assert.match(await refusal('sltv disk extend idle --size 32M'), 'sltv pool take vg-sltv');
  await host.run('sltv pool take vg-sltv --yes');
  await host.run('sltv disk extend idle --size 32M');
  await web.start();
  await web.verify('24M', { disk: 'vdb', at: '8M', mark: 3 });
  await host.run('sltv disk attach idle web');
  const states = await Promise.all(['image', 'plain', 'idle'].map(async (name) => (await disk(host, name)).state));
  assert.equal(states, ['owned', 'owned', 'owned']);
});

test.run();
