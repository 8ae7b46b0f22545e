// Mistakes on a real host: LVM, libvirt and a running guest, each answered in a sentence that helps, with nothing changed.
// What needs neither is in test/integration/mistakes-*.test.ts.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answer, judge, type Mistake } from '../fixtures/mistake.ts';
import { GROWN_BY_HAND, startDaemon } from '../testbed/daemon.ts';
import { type Host, testbed } from '../testbed/index.ts';

const life = new AsyncDisposableStack();
let host: Host;

// vda: the pool. vdb: pool `other`, of one disk. vdc and vdd: pool `pair`. vde: a file system. vdf: a VG by hand.
test.before(async () => {
  host = life.use(
    await testbed.host({ name: 'mistakes', disks: ['1G', ...Array(5).fill('128M')], files: GROWN_BY_HAND }),
  );
  const began = startDaemon(host);
  await host.run('mkfs.ext4 -q /dev/vde && vgcreate -q byhand /dev/vdf');
  await began;
  await host.run(
    'sltv pool create vg-sltv /dev/vda && sltv pool create other /dev/vdb && sltv pool create pair /dev/vdc /dev/vdd',
  );
  await host.run(
    'sltv disk create thick --size 64M && sltv disk create thin --thin --virtual-size 1G --size 32M && ' +
      'sltv disk create given --size 16M && sltv disk create d --pool other --size 16M && sltv disk create p --pool pair --size 16M && ' +
      'lvcreate -q -an -Wn -Zn -L 8M -n byhand vg-sltv',
  );
  await host.guest('web');
  await host.guest('idle', { start: false });
  await host.run('sltv disk attach given web');
});

test.after(() => life.disposeAsync());

/** Types lines one after the other, as one person does. */
async function typeAll(lines: readonly string[]): Promise<readonly Answer[]> {
  const script = lines.map(
    (line) => `(${line}) > /tmp/out 2> /tmp/err < /dev/null; echo "$? $(base64 -w0 /tmp/out) $(base64 -w0 /tmp/err)"`,
  );
  const { stdout } = await host.run(script.join('\n'), { timeout: 200_000 });
  const read = (word = '') => Buffer.from(word, 'base64').toString();
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([code, out, err]) => ({ code: Number(code), stdout: read(out), stderr: read(err) }));
}

/** All that a mistake could have changed: every VG's number of commits, volumes, devices, VMs, what lies on the disks. */
async function state(): Promise<string> {
  const { stdout } = await host.run(
    `vgs --noheadings -o vg_name,vg_seqno,vg_tags,lv_name,lv_size,lv_tags; dmsetup ls;
     cat /etc/libvirt/qemu/*.xml /run/libvirt/qemu/*.xml; blkid -c /dev/null /dev/vd?; mount`,
    { note: 'all that a mistake could have changed ' },
  );
  return stdout;
}

/** Makes each mistake, and looks that nothing came of any. */
async function make(...mistakes: readonly Mistake[]): Promise<void> {
  const before = await state();
  const answers = await typeAll(mistakes.map(({ typed }) => typed));
  const unknown = { code: -1, stdout: '', stderr: '' };
  for (const [n, mistake] of mistakes.entries()) judge(mistake, answers[n] ?? unknown);
  assert.equal(await state(), before, 'nothing changed');
}

test('a pool is made of what is free, once, under a name that LVM takes', async () => {
  const inUse = { kind: 'refused', code: 'lvm/device-in-use' } as const;
  const missing = { kind: 'not-found', code: 'lvm/device-missing' } as const;
  await make(
    {
      ...missing,
      typed: 'sltv pool create p /dev/vdz',
      says: '/dev/vdz is not a block device of this host',
      hint: 'lsblk',
    },
    { ...missing, typed: 'sltv pool create p vde', says: 'vde is not a block device', hint: 'did you mean /dev/vde?' },
    { ...missing, typed: 'sltv pool create p /etc/fstab', says: '/etc/fstab is not a block device', hint: 'lsblk' },
    { ...missing, typed: 'sltv pool extend vg-sltv /dev/vdz', says: '/dev/vdz is not a block device', hint: 'lsblk' },
    {
      ...inUse,
      typed: 'sltv pool create p /dev/vde',
      says: '/dev/vde holds data: ext4',
      hint: 'wipefs --all /dev/vde',
    },
    {
      ...inUse,
      typed: 'sltv pool extend vg-sltv /dev/vde',
      says: '/dev/vde holds data: ext4',
      hint: 'lsblk -f /dev/vde',
    },
    { ...inUse, typed: 'sltv pool create p /dev/vdb', says: '/dev/vdb belongs to volume group other', hint: 'pvs' },
    {
      ...inUse,
      typed: 'sltv pool extend vg-sltv /dev/vdf',
      says: '/dev/vdf belongs to volume group byhand',
      hint: 'pvs',
    },
    {
      typed: 'sltv pool create vg-sltv /dev/vde',
      kind: 'exists',
      code: 'core/pool-exists',
      says: 'already a pool vg-sltv',
      hint: 'sltv pool extend vg-sltv',
    },
    {
      typed: 'sltv pool create disks /dev/vde',
      kind: 'exists',
      code: 'core/pool-exists',
      says: 'already a pool disks',
      hint: 'sltv pool show disks',
    },
    {
      typed: 'sltv pool create byhand /dev/vdb',
      kind: 'exists',
      code: 'lvm/vg-exists',
      says: 'volume group byhand',
      hint: 'the vgs of the lvm plugin',
    },
    {
      typed: "sltv pool create 'a b' /dev/vde",
      kind: 'invalid',
      code: 'lvm/bad-name',
      says: "'a b' can't be a volume group",
      hint: 'such as vg-fast',
    },
    {
      typed: 'sltv pool create -- -x /dev/vde',
      kind: 'invalid',
      code: 'lvm/bad-name',
      says: "'-x' can't be a volume group",
      hint: 'such as',
    },
  );
  await host.run('mkdir -p /mnt/e && mount /dev/vde /mnt/e');
  await make({
    ...inUse,
    typed: 'sltv pool create p /dev/vde',
    says: '/dev/vde is in use, by a mount',
    hint: 'lsblk /dev/vde',
  });
  await host.run('umount /mnt/e');
});

test('a disk gets a name and a size that LVM has', async () => {
  const badName = { kind: 'invalid', code: 'core/bad-name', hint: 'such as web01-data' } as const;
  const noSpace = { kind: 'exhausted', code: 'lvm/no-space', hint: 'sltv pool extend vg-sltv /dev/' } as const;
  const byHand = { says: 'vg-sltv/byhand is a volume that sltv did not make', hint: 'by hand' } as const;
  const foreign = { ...byHand, kind: 'refused', code: 'core/disk-foreign' } as const;
  await make(
    { ...badName, typed: 'sltv disk create snapshot1 --size 4M', says: "LVM keeps names that begin with 'snapshot'" },
    { ...badName, typed: 'sltv disk create a_tdata --size 4M', says: "LVM keeps names with '_tdata' in them" },
    { ...badName, typed: `sltv disk create a${'-'.repeat(62)} --size 4M`, says: 'too long in vg-sltv' },
    {
      ...noSpace,
      typed: 'sltv disk create big --size 5G',
      says: /volume group vg-sltv has \d+ MiB free, 5 GiB are needed/,
    },
    {
      ...noSpace,
      typed: 'sltv disk create big --thin --virtual-size 50G',
      says: /has \d+ MiB free, 10 GiB are needed/,
      hint: 'begin smaller, as with --size 1G; or sltv pool extend vg-sltv',
    },
    { ...noSpace, typed: 'sltv disk extend thick --size 5G', says: /has \d+ MiB free, 4.9\d GiB are needed/ },
    { ...byHand, typed: 'sltv disk create byhand --size 4M', kind: 'exists', code: 'core/disk-exists' },
    { ...foreign, typed: 'sltv disk show byhand' },
    { ...foreign, typed: 'sltv disk delete byhand --force' },
    { ...foreign, typed: 'sltv disk extend byhand --delta 4M' },
    { ...foreign, typed: 'sltv disk attach byhand web' },
    {
      typed: 'sltv disk create x --pool byhand --size 4M',
      kind: 'not-found',
      code: 'lvm/not-a-pool',
      says: 'byhand is a volume group of this host, and no pool',
      hint: "lvm({ vgs: ['byhand'] })",
    },
  );
});

test('a disk has one VM, a target one disk, and what is not there is not taken away', async () => {
  const attached = { kind: 'refused', code: 'core/disk-attached' } as const;
  const noTarget = { kind: 'invalid', code: 'core/input', hint: 'leave --target out' } as const;
  const noVm = {
    kind: 'not-found',
    code: 'core/vm-missing',
    says: 'there is no VM wbe on this host',
    hint: 'sltv vm list',
  } as const;
  const notAttached = { kind: 'not-found', code: 'core/attachment-missing' } as const;
  const shrinks = { kind: 'invalid', code: 'core/no-shrink' } as const;
  await make(
    { ...noVm, typed: 'sltv disk attach thick wbe' },
    { ...noVm, typed: 'sltv attachment list --vm wbe' },
    {
      ...noTarget,
      typed: 'sltv disk attach thick web --target sdb',
      says: "'sdb' is no target of a disk: it is a word such as vdb",
    },
    {
      ...noTarget,
      typed: 'sltv disk attach thick web --target /dev/vdc',
      says: "'/dev/vdc' is no target of a disk: it is a word such as vdc",
    },
    {
      typed: 'sltv disk attach thick web --target vda',
      kind: 'refused',
      code: 'core/target-in-use',
      says: 'web has /dev/vg-sltv/given as vda already',
      hint: 'leave --target out',
    },
    {
      ...attached,
      typed: 'sltv disk attach given web',
      says: 'vg-sltv/given is attached to web already, as vda',
      hint: 'sltv attachment list',
    },
    {
      ...attached,
      typed: 'sltv disk attach given idle',
      says: 'vg-sltv/given belongs to web',
      hint: 'sltv disk detach vg-sltv/given web',
    },
    {
      ...attached,
      typed: 'sltv disk delete given',
      says: 'vg-sltv/given is attached to web',
      hint: 'sltv disk detach vg-sltv/given web, or delete with --force',
    },
    {
      ...notAttached,
      typed: 'sltv disk detach thick web',
      says: 'vg-sltv/thick is not attached to web',
      hint: 'not attached to any VM',
    },
    {
      ...notAttached,
      typed: 'sltv disk detach given idle',
      says: 'vg-sltv/given is not attached to idle',
      hint: 'sltv disk detach vg-sltv/given web',
    },
    {
      ...shrinks,
      typed: 'sltv disk extend given --size 8M',
      says: 'vg-sltv/given has 16 MiB; a disk never shrinks',
      hint: 'above 16 MiB',
    },
    {
      ...shrinks,
      typed: 'sltv disk resize thin --virtual-size 512M',
      says: 'the guest of vg-sltv/thin sees 1 GiB',
      hint: 'above 1 GiB',
    },
    {
      typed: 'sltv disk attach thik web',
      kind: 'not-found',
      code: 'core/disk-missing',
      says: 'there is no disk thik',
      hint: 'sltv disk list',
    },
  );
});

test('who may not open the socket is told so', async () => {
  const as = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
  const denied = { kind: 'denied', code: 'core/denied' } as const;
  await make(
    {
      ...denied,
      typed: `${as} sltv disk list`,
      says: 'you may not open unix:///run/sltv/sltvd.sock',
      hint: "become a member of the socket's group",
    },
    { ...denied, typed: `${as} sltv init --hooks`, says: 'sltv may not', hint: 'run it as root' },
  );
});

test('a Volume Group of another lock domain, or of a newer format, is read and never written', async () => {
  const { stdout } = await host.run('vgs --noheadings -o vg_tags other | tr , "\\n" | grep lock=');
  const ours = stdout.trim();
  const theirs = `sltv:lock=local/${'f'.repeat(32)}`;
  const change = (words: string) => host.run(`vgchange -q ${words} other`);
  const onDisk = (refusal: Omit<Mistake, 'typed'>) =>
    make(
      { ...refusal, typed: 'sltv disk create x --pool other --size 4M' },
      { ...refusal, typed: 'sltv disk extend d --delta 4M' },
      { ...refusal, typed: 'sltv disk delete d' },
      { ...refusal, typed: 'sltv disk attach d web' },
      { ...refusal, typed: 'sltv pool extend other /dev/vde' },
    );
  await change(`--deltag ${ours} --addtag ${theirs}`);
  await onDisk({
    kind: 'refused',
    code: 'lvm/other-domain',
    says: 'volume group other is locked by local/ffff',
    hint: 'sltv pool take other',
  });
  assert.match(
    (await host.run('sltv pool show other')).stdout,
    /read only because: +volume group other is locked by local\/ffff/,
  );
  assert.match((await host.run('sltv disk list')).stdout, /^d +other /m);
  await change(`--deltag ${theirs} --addtag ${ours} --addtag sltv:v=2`);
  await onDisk({
    kind: 'unsupported',
    code: 'lvm/format-newer',
    says: 'volume group other has format 2',
    hint: 'upgrade sltv on this host',
  });
  await change('--deltag sltv:v=2');
  await host.run('lvchange -q --deltag sltv:v=1 --addtag sltv:v=2 other/d');
  const newer = {
    kind: 'unsupported',
    code: 'core/format-newer',
    says: 'd was written by a newer sltv',
    hint: 'upgrade sltv',
  } as const;
  await make(
    { ...newer, typed: 'sltv disk delete d' },
    { ...newer, typed: 'sltv disk extend d --delta 4M' },
    { ...newer, typed: 'sltv disk attach d web' },
  );
  await host.run('lvchange -q --deltag sltv:v=2 --addtag sltv:v=1 other/d && vgexport -q other');
  await onDisk({
    kind: 'refused',
    code: 'lvm/read-only',
    says: 'volume group other is exported',
    hint: 'vgs -o +vg_exported',
  });
  await host.run('vgimport -q other');
});

test('a Volume Group that has gone, by a name, a device or altogether, is missed by its name', async () => {
  const gone = {
    kind: 'not-found',
    code: 'core/pool-missing',
    says: 'there is no pool other on this host',
    hint: 'pools here: vg-sltv',
  } as const;
  await host.run('vgrename -q other another');
  assert.match((await host.run('sltv disk list')).stdout, /^thick +vg-sltv /m, 'the others are still there');
  await make(
    { ...gone, typed: 'sltv disk create x --pool other --size 4M' },
    { ...gone, typed: 'sltv disk show other/d' },
    { ...gone, typed: 'sltv disk delete other/d' },
  );
  await host.run('vgrename -q another other && vgremove -qy other');
  await make(
    { ...gone, typed: 'sltv disk create x --pool other --size 4M' },
    { ...gone, typed: 'sltv pool show other' },
    {
      typed: 'sltv disk show d',
      kind: 'not-found',
      code: 'core/disk-missing',
      says: 'there is no disk d',
      hint: 'sltv disk list',
    },
  );
  await host.run('echo 1 > $(dirname $(readlink -f /sys/block/vdd/device))/remove; udevadm settle');
  const lost = {
    kind: 'unavailable',
    code: 'lvm/device-lost',
    says: 'volume group pair lacks 1 of its physical volumes',
    hint: 'vgs -o +pv_name,pv_missing pair',
  } as const;
  await make(
    { ...lost, typed: 'sltv disk extend p --delta 4M' },
    { ...lost, typed: 'sltv disk create x --pool pair --size 4M' },
    { ...lost, typed: 'sltv disk delete p' },
  );
});

test('a host that has lost its lvm2 or its libvirt says which', async () => {
  await host.run('mv /usr/sbin/lvm /usr/sbin/lvm.away');
  const noLvm = { kind: 'unavailable', code: 'core/no-tool', says: 'lvm could not be started', hint: 'lvm2' } as const;
  const answers = await typeAll(['sltv disk create x --size 4M', 'sltv disk extend thick --delta 4M']);
  await host.run(
    'mv /usr/sbin/lvm.away /usr/sbin/lvm; kill $(pgrep -x libvirtd); while pgrep -x libvirtd; do sleep 0.1; done',
  );
  for (const answer of answers) judge({ ...noLvm, typed: 'sltv disk …' }, answer);
  const noLibvirt = {
    kind: 'unavailable',
    code: 'libvirt/unreachable',
    says: 'libvirt does not answer at qemu:///system',
    hint: 'systemctl start libvirtd',
  } as const;
  const libvirt = await typeAll(['sltv disk attach thick web', 'sltv vm list', 'sltv disk detach given web']);
  for (const answer of libvirt) judge({ ...noLibvirt, typed: 'sltv …' }, answer);
  assert.match((await host.run('sltv disk list')).stdout, /^given .* web +vda$/m, 'disks are listed without libvirt');
});

test("no caller's mistake is an error in the daemon's log", async () => {
  const { stdout } = await host.run('grep \'"level":"error"\' /var/log/sltv.log || true');
  assert.is(stdout, '');
});

test.run();
