// What the daemon adds to the commands of each operation, on a test-bed host with real device-mapper and guests.
import { join } from 'node:path';
import { GROWN_BY_HAND, startDaemon } from '../test/testbed/daemon.ts';
import { testbed } from '../test/testbed/index.ts';
import type { Measured } from './inside/operations.ts';
import { type Line, median, medianRatio, ROOT, report } from './measure.ts';

const ROUNDS = 12;
const NODE = join(ROOT, 'node_modules/.bin/node');

await using host = await testbed.host({
  name: 'bench',
  disks: ['6G', '6G'],
  memory: 1024,
  // As every hypervisor has at least: with one, guests, udev and the daemon take turns with the very command that is timed.
  cpus: 2,
  files: { ...recorders(['lvm', 'qemu-img', 'virsh']), ...GROWN_BY_HAND },
});
const daemon = await startDaemon(host, { env: 'SLTV_DEFAULT_VG=ours PATH=/bench/bin:$PATH' });
await host.run('sltv pool create ours /dev/vda && vgcreate -q --metadatasize 128m bare /dev/vdb');
const guests = [await host.guest('ours'), await host.guest('bare')];
const uuids = guests.map((guest) => guest.uuid).join(' ');
const { stdout } = await host.run(`${NODE} ${ROOT}/bench/inside/operations.ts ${ROUNDS} ${uuids} ${daemon.pid}`, {
  timeout: 1_500_000,
});
// The program inside wrote it.
const measured = JSON.parse(stdout) as readonly Measured[];
report('operations', measured.flatMap(linesOf));

/** Programs that write down how they were called, and become the real one. */
function recorders(programs: readonly string[]) {
  const scripts = programs.map((name) => [`/bench/bin/${name}`, { text: recorder(name), mode: 0o755 }] as const);
  return Object.fromEntries(scripts);
}

function recorder(name: string): string {
  return `#!/bin/sh
{ printf ${name}; printf '\\t%s' "$@"; echo; } >> /bench/commands
for word in $*; do case $word in --file=*) cp "\${word#--file=}" /bench/;; esac; done
PATH=\${PATH#/bench/bin:} exec ${name} "$@"
`;
}

function linesOf({ operation, commands, commits, reports, ours, seen, bare, naive, goals }: Measured): readonly Line[] {
  const milliseconds = (numbers: readonly number[]) => Math.round(median(numbers));
  const ratio: Line = {
    what: `${operation} / its own commands`,
    value: medianRatio({ ours, bare }),
    unit: '×',
    ...(goals.ratio === undefined ? {} : { goal: goals.ratio }),
    beside: {
      ours: `${milliseconds(ours)} ms`,
      bare: `${milliseconds(bare)} ms`,
      naive: `${milliseconds(naive)} ms`,
      'client sees': `${milliseconds(seen)} ms, ${medianRatio({ ours: seen, bare }).toFixed(2)} ×`,
      'ours/naive': `${medianRatio({ ours, bare: naive }).toFixed(2)} ×`,
      commits,
      commands: commands.join(', '),
    },
    raw: { ours, seen, bare, naive, commands, commits, reports },
  };
  const counted = [
    { what: `${operation}: commits`, value: commits, goal: goals.commits },
    { what: `${operation}: reports`, value: reports, goal: goals.reports },
  ];
  return [ratio, ...counted.flatMap(({ goal, ...line }) => (goal === undefined ? [] : { ...line, unit: '', goal }))];
}
