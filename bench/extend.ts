// How soon a thin disk has grown under a guest that writes at full speed, beside bare lvextends under the same guest.
import { join } from 'node:path';
import { startDaemon } from '../test/testbed/daemon.ts';
import { placeOf } from '../test/testbed/domain.ts';
import { testbed } from '../test/testbed/index.ts';
import type { Extension, Measured } from './inside/extend.ts';
import { type Line, median, percentile, ROOT, report } from './measure.ts';

const ROUNDS = 40;
const NODE = join(ROOT, 'node_modules/.bin/node');

// Small steps of one size: many extensions. Headroom for two seconds: a guest here writes up to 140 MiB/s.
const CONFIG = `import { defineConfig } from 'sltv';
import autoextend, { ahead } from 'sltv/autoextend';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';

const policy = ahead({ headroom: { least: '256M', most: '256M' }, step: { least: '64M', most: '64M' } });
export default defineConfig({ plugins: [lvm(), libvirt(), localLock(), autoextend({ policy })] });
`;

await using host = await testbed.host({
  name: 'bench',
  disks: ['8G', '8G'],
  memory: 1024,
  // One for the guest, one for all else.
  cpus: 2,
  files: { '/etc/sltv/sltv.config.ts': CONFIG, ...recorders(['lvm', 'virsh']) },
});
const daemon = await startDaemon(host, { env: 'SLTV_DEFAULT_VG=ours PATH=/bench/bin:$PATH' });
await host.run(
  'sltv pool create ours /dev/vda && vgcreate -q --metadatasize 128m bare /dev/vdb && ' +
    'lvcreate -q -y -L 1G -n disk bare && qemu-img create -q -f qcow2 /dev/bare/disk 8G',
  { timeout: 120_000 },
);
await host.guest('load', { disks: [{ path: '/dev/bare/disk', format: 'qcow2' }] });
await host.run('sltv disk create disk --thin --size 256M --virtual-size 8G && sltv disk attach disk load', {
  timeout: 120_000,
});
const armed = 'virsh domstats --block load | grep -q threshold=';
await host.run(`until ${armed}; do sleep 0.5; done`, { timeout: 120_000 });
const status = (await host.run('cat /run/libvirt/qemu/load.xml')).stdout;
const slots = ['vdb', 'vda'].map((target) => placeOf(status, target)?.slot.toString(16)).join(' ');
const inside = `${NODE} ${ROOT}/bench/inside/extend.ts ${ROUNDS} ${daemon.pid} ${slots}`;
const program = host.start(inside);
const { code } = await program.ended;
if (code !== 0) throw host.fail(`'${inside}' ended with ${code}`);
// The program inside wrote it.
report('extend', linesOf(JSON.parse(program.seen.at(-1) ?? '') as Measured));

/** Programs that write down when they began and ended: by a clock that costs no process. */
function recorders(programs: readonly string[]) {
  const scripts = programs.map((name) => [`/bench/bin/${name}`, { text: recorder(name), mode: 0o755 }] as const);
  return Object.fromEntries(scripts);
}

function recorder(name: string): string {
  const note = (when: string) => `read -r up _ < /proc/uptime; printf "$what ${when}\\t$up\\n" >> /bench/commands`;
  return `#!/bin/sh
PATH=\${PATH#/bench/bin:}
case "$*" in
  *lvextend*) what=lvextend ;;
  *domblkthreshold*) what=domblkthreshold ;;
  *) exec ${name} "$@" ;;
esac
${note('began')}
${name} "$@"
status=$?
${note('ended')}
exit $status
`;
}

function linesOf({ ours, bare, early, pauses, speed, steps }: Measured): readonly Line[] {
  const grown = (side: readonly Extension[]) => side.map(({ toGrown }) => toGrown);
  const ended = bare.flatMap(({ toEnd = [] }) => toEnd);
  const compared = (of: number, goal?: number): Line => ({
    what: `p${of} from the event, or from a bare lvextend's start, until the device is larger`,
    value: percentile(grown(ours), of) / percentile(grown(bare), of),
    unit: '×',
    ...(goal === undefined ? {} : { goal }),
    beside: { ours: milliseconds(percentile(grown(ours), of)), bare: milliseconds(percentile(grown(bare), of)) },
  });
  const names = [...new Set(steps.flatMap((step) => Object.keys(step)))];
  const inOrder = names
    .map((name) => ({ name, at: median(steps.flatMap((step) => step[name] ?? [])) }))
    .sort((a, b) => a.at - b.at);
  return [
    { ...compared(95, 1.5), raw: { ours, bare, steps, speed } },
    compared(50),
    compared(100),
    {
      what: 'p95 until the device is larger / p95 of whole bare lvextends',
      value: percentile(grown(ours), 95) / percentile(ended, 95),
      unit: '×',
      beside: { ours: milliseconds(percentile(grown(ours), 95)), bare: milliseconds(percentile(ended, 95)) },
    },
    { what: 'pauses of the guest', value: pauses, unit: '', goal: 0 },
    { what: 'extensions timed', value: ours.length, unit: '' },
    { what: 'extensions before their event, not timed', value: early, unit: '' },
    { what: 'what the guest wrote', value: speed, unit: 'MiB/s' },
    ...inOrder.map(({ name, at }) => ({ what: `after the event, recorded: ${name}`, value: at, unit: 'ms' })),
  ];
}

function milliseconds(number: number): string {
  return `${Math.round(number)} ms`;
}
