// What it costs to keep 200 thin disks ahead of guests that write nothing.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon as startInHost } from '../test/testbed/daemon.ts';
import { type Guest, type Host, testbed } from '../test/testbed/index.ts';
import { type Daemon, makeDirectory, startDaemon } from './daemon.ts';
import { makeVolumes, multiplied, nameOf, tagsOf } from './many-volumes.ts';
import { EXECUTABLE, type Line, ROOT, report } from './measure.ts';

const VMS = 10;
const DISKS_OF_EACH = 20;
const DISKS = VMS * DISKS_OF_EACH;
/** Milliseconds between two looks of the daemon, unasked. */
const POLL = 15_000;
/** What is counted and timed is that of so many looks. */
const LOOKS = 5;
const MINUTES = (LOOKS * POLL) / 60_000;
/** The volumes have one extent, 4 MiB, so their guests get along with little. */
const POLICY = `ahead({ headroom: { least: '1M', most: '1M' } })`;
/** Milliseconds: in emulation a look at all guests takes longer than on a real host. */
const PATIENCE = 'deadlines: { statistics: 60_000, alone: 60_000 }';
/** What stands for a volume's owner in the metadata until there is one. */
const OWNED = `sltv:own=${nameOf(0)}`;
const RECORDED = join(ROOT, 'test/fixtures/virsh');

const CONFIG = `import { defineConfig } from 'sltv';
import autoextend, { ahead } from 'sltv/autoextend';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';

const policy = ${POLICY};
const plugins = [lvm(), libvirt({ ${PATIENCE} }), localLock(), autoextend({ policy, poll: ${POLL} })];
export default defineConfig({ nodeId: 'bench', plugins });
`;

report('armed', [...(await onHost()), ...(await alone())]);

/** Commands of virsh and lvm by a daemon on a host with real guests, with a tenth of the disks and with all. */
async function onHost(): Promise<readonly Line[]> {
  await using host = await testbed.host({
    name: 'bench',
    disks: ['2G'],
    memory: 3072,
    cpus: 2,
    files: { '/etc/sltv/sltv.config.ts': CONFIG, ...recorders(['lvm', 'virsh', 'qemu-img']) },
  });
  const guests = await defineGuests(host);
  await makeImages(host, guests);
  const [first, ...others] = guests;
  await first?.start();
  await startInHost(host, { env: 'PATH=/bench/bin:$PATH' });
  const few = await idleCalls(host, DISKS_OF_EACH);
  for (const guest of others) await guest.start();
  const many = await idleCalls(host, DISKS);
  const perMinute = (count: number) => count / MINUTES;
  return [
    {
      what: `virsh commands a minute with ${DISKS} armed disks, at most those with ${DISKS_OF_EACH}`,
      value: perMinute(many.virsh),
      unit: '',
      goal: perMinute(few.virsh),
      raw: { few, many },
    },
    {
      what: `lvm commands a minute with ${DISKS} armed disks, at most those with ${DISKS_OF_EACH}`,
      value: perMinute(many.lvm),
      unit: '',
      goal: perMinute(few.lvm),
    },
  ];
}

function defineGuests(host: Host): Promise<readonly Guest[]> {
  const guests = Array.from({ length: VMS }, (_, vm) => {
    const disks = Array.from({ length: DISKS_OF_EACH }, (_, index) => ({
      path: `/dev/bench/${nameOf(vm * DISKS_OF_EACH + index)}`,
      format: 'qcow2' as const,
    }));
    return host.guest(`web${vm}`, { disks, start: false });
  });
  return Promise.all(guests);
}

/**
 * A pool of active thin disks that these guests own. Its metadata is written once, and so is the empty image: two hundred
 * times `sltv disk create` and `attach` would take long.
 */
async function makeImages(host: Host, guests: readonly Guest[]): Promise<void> {
  const tags = [...tagsOf(0), '--addtag', OWNED].join(' ');
  const ours = '--addtag sltv:v=1 --addtag sltv:lock=local/$(cat /etc/machine-id)';
  const { stdout: boot } = await host.run('cat /proc/sys/kernel/random/boot_id');
  const { stdout: metadata } = await host.run(
    `{ vgcreate -q ${ours} --metadatasize 128m bench /dev/vda && ` +
      `lvcreate -q -an -Zn -Wn -l1 -n ${nameOf(0)} ${tags} bench && vgcfgbackup -q -f /tmp/vg bench; } >&2 && cat /tmp/vg`,
    { note: 'a pool ' },
  );
  const owners = guests.flatMap(({ uuid, name }) =>
    Array.from({ length: DISKS_OF_EACH }, (_, index) => `sltv:own=${uuid}/${targetOf(index)}/${name}`),
  );
  const owned = owners.reduce(
    (text, owner, index) => text.replace(OWNED.replace(nameOf(0), nameOf(index)), owner),
    multiplied(metadata, DISKS).replaceAll('on=bench/0"', `on=bench/${boot.trim()}"`),
  );
  await host.run('cat > /tmp/vg && vgcfgrestore -q -f /tmp/vg bench && vgchange -q -ay bench && udevadm settle', {
    input: owned,
    timeout: 300_000,
  });
  const write = 'dd if=/tmp/image of=$disk bs=1M conv=fsync status=none';
  await host.run(
    `qemu-img create -q -f qcow2 /tmp/image 100G && for disk in /dev/bench/*; do ${write} || exit 1; done`,
    { timeout: 300_000 },
  );
}

/** How many commands of virsh and of lvm so many looks take, while every disk is armed and the daemon is at rest. */
async function idleCalls(host: Host, disks: number): Promise<{ readonly virsh: number; readonly lvm: number }> {
  const thresholds = 'PATH=/usr/bin; virsh domstats --block | grep -c threshold=';
  await host.run(`until [ "$(${thresholds})" = ${disks} ]; do sleep 1; done`, { timeout: 600_000 });
  // How large each image can get is found out once, behind the arming.
  const atRest = `sleep ${(2 * POLL) / 1000}; ! grep -q qemu-img /bench/calls`;
  await host.run(`until : > /bench/calls; ${atRest}; do :; done`, { timeout: 600_000 });
  const look = ': > /bench/calls; until grep -q domstats /bench/calls; do sleep 0.2; done';
  // From behind one look to behind another.
  const { stdout } = await host.run(
    `${look}; sleep 3; : > /bench/calls; sleep ${(LOOKS * POLL) / 1000}; cat /bench/calls`,
    {
      timeout: 300_000,
    },
  );
  const calls = stdout.split('\n');
  const of = (program: string) => calls.filter((call) => call.startsWith(`${program}\t`));
  // One virsh may be given several commands, and each of them asks libvirt.
  return { virsh: of('virsh').flatMap((call) => call.split('; ')).length, lvm: of('lvm').length };
}

/** Programs that write down how they were called, and become the real one. */
function recorders(programs: readonly string[]) {
  const scripts = programs.map((name) => [`/bench/bin/${name}`, { text: recorder(name), mode: 0o755 }] as const);
  return Object.fromEntries(scripts);
}

function recorder(name: string): string {
  return `#!/bin/sh
printf '${name}\\t%s\\n' "$(echo "$*" | tr '\\n' ' ')" >> /bench/calls
PATH=\${PATH#/bench/bin:} exec ${name} "$@"
`;
}

/** The daemon's own processor time, on this machine, beside a virsh that repeats what a real one said. */
async function alone(): Promise<readonly Line[]> {
  using directory = makeDirectory();
  using volumes = makeVolumes(directory.path, 'bench', DISKS);
  const bin = join(directory.path, 'virsh');
  makeVirsh(bin);
  const plugins = `lvm({ vgs: ['bench'] }), localLock(), libvirt(), autoextend({ policy: ${POLICY}, poll: ${POLL} })`;
  const env = { ...volumes.env, PATH: `${bin}:${volumes.env.PATH}` };
  await using daemon = await startDaemon(directory.path, plugins, env);
  await atRest(daemon);
  const before = { ...daemon.processorTime(), looks: looks(bin), lvm: volumes.commands() };
  await sleep(LOOKS * POLL);
  const after = { ...daemon.processorTime(), looks: looks(bin), lvm: volumes.commands() };
  const percent = (from: number, to: number) => ((to - from) / (LOOKS * POLL)) * 100;
  return [
    {
      what: `the daemon's processor time with ${DISKS} armed disks`,
      value: percent(before.own, after.own),
      unit: '%',
      goal: 0.5,
      beside: {
        seconds: (LOOKS * POLL) / 1000,
        looks: after.looks - before.looks,
        'lvm commands': after.lvm - before.lvm,
        'virsh replayed': `${percent(before.children, after.children).toFixed(2)} %`,
      },
      raw: { before, after },
    },
  ];
}

/** Waits until every disk is armed, and the daemon runs nothing but its stream of events. */
async function atRest(daemon: Daemon): Promise<void> {
  const deadline = performance.now() + 300_000;
  const status = () => {
    const words = ['autoextend', 'status', '--json', '--addr', daemon.addr];
    return spawnSync(EXECUTABLE, words, { encoding: 'utf8' }).stdout.match(/"armedAt"/g)?.length ?? 0;
  };
  for (let quiet = 0; quiet < 40; quiet += 1) {
    if (performance.now() > deadline) throw new Error(`${status()} of ${DISKS} disks are armed`);
    await sleep(50);
    if (daemon.commands() > 1 || (quiet === 39 && status() !== DISKS)) quiet = 0;
  }
}

function makeVirsh(bin: string): void {
  mkdirSync(bin);
  const names = Array.from({ length: VMS }, (_, vm) => `web${vm}`);
  const list = names.map((name, vm) => `00000000-0000-4000-8000-00000000000${vm} ${name}\n`).join('');
  const recordedEvents = readFileSync(join(RECORDED, 'events.txt'), 'utf8').split('\n');
  const listening = recordedEvents.filter((line) => line.includes('virConnectDomainEventRegisterAny'));
  writeFileSync(join(bin, 'statistics'), `${names.map(statisticsOf).join('')}${list}\n`);
  writeFileSync(join(bin, 'list'), `${list}\n`);
  writeFileSync(join(bin, 'listening'), `${listening.join('\n')}\n`);
  writeFileSync(join(bin, 'looks'), '');
  const script = `#!/bin/sh
case "$*" in
  *domstats*) echo look >> ${bin}/looks; exec cat ${bin}/statistics ;;
  *event*) cat ${bin}/listening; exec sleep infinity ;;
  *list*) exec cat ${bin}/list ;;
  *) echo "error: nothing was recorded of $*" >&2; exit 1 ;;
esac
`;
  writeFileSync(join(bin, 'virsh'), script, { mode: 0o755 });
}

/** A recorded paragraph of one VM with one disk, with this VM's. */
function statisticsOf(name: string, vm: number): string {
  const lines = readFileSync(join(RECORDED, 'statistics-armed.txt'), 'utf8').split('\n');
  const ofDisk = lines.filter((line) => line.startsWith('  block.0.'));
  const disks = Array.from({ length: DISKS_OF_EACH }, (_, index) => {
    const sizes = { allocation: 1 << 20, capacity: 100 * 2 ** 30, physical: 4 << 20, threshold: 3 << 20 };
    const path = `/dev/bench/${nameOf(vm * DISKS_OF_EACH + index)}`;
    const fields = { name: targetOf(index), path, ...sizes };
    const told = Object.entries(fields).reduce(
      (each, [key, value]) => each.map((line) => line.replace(new RegExp(`(\\.0\\.${key})=.*`), `$1=${value}`)),
      ofDisk,
    );
    return told.map((line) => line.replace('block.0.', `block.${index}.`));
  });
  const head = [`Domain: '${name}'`, '  state.state=1', '  state.reason=5', `  block.count=${DISKS_OF_EACH}`];
  return `${[...head, ...disks.flat()].join('\n')}\n\n`;
}

function targetOf(index: number): string {
  return `vd${String.fromCharCode(0x61 + index)}`;
}

function looks(bin: string): number {
  return readFileSync(join(bin, 'looks'), 'utf8').split('\n').length - 1;
}
