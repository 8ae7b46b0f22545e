// libvirt's hook for QEMU: what it calls, and what its words mean.
import type { Hook } from 'sltv';
import type { Xml } from './xml.ts';

/**
 * libvirt runs every file in qemu.d (since 6.5) with the VM's name, an operation, a moment, and the VM's XML on stdin. A
 * migration's destination calls `migrate begin` before `prepare`, `restore` comes before it too: what is printed then is
 * taken for the VM's XML, so nothing ever is.
 */
export function createHook(xml: Xml): Hook {
  return {
    name: 'qemu',
    script: (executable) => ({
      path: '/etc/libvirt/hooks/qemu.d/sltv',
      text: scriptFor(executable),
      // Seen with libvirt 9.0: a daemon that found no hook at its start looks again at SIGHUP, and only then.
      remark: 'if libvirt had no hooks before, tell it: systemctl reload libvirtd (or virtqemud)',
    }),
    read([, operation, moment], input) {
      const step = STEPS[`${operation} ${moment}`];
      if (step === undefined) return undefined;
      const { uuid, name, disks } = xml.domain(input);
      const paths = disks.flatMap(({ path }) => (path === undefined ? [] : [path]));
      return { vm: { uuid, name }, step, paths: step === 'starting' ? paths : [] };
    },
  };
}

/** libvirt holds the VM up at five moments of its life; only where a moment concerns disks is the executable started. */
function scriptFor(executable: string): string {
  const moments = Object.keys(STEPS).map((moment) => `'${moment}'`);
  return `#!/bin/sh
# Has the disks of a VM ready before it starts, and puts them to rest after: written by sltv init --hooks.
case "$2 $3" in
  ${moments.join(' | ')}) exec '${executable.replaceAll("'", `'\\''`)}' hook qemu -- "$@" ;;
esac
`;
}

/** `prepare` comes before libvirt looks for the disks; `release` when QEMU is gone, also after a start that failed. */
const STEPS: Readonly<Record<string, 'starting' | 'stopped'>> = {
  'prepare begin': 'starting',
  'release end': 'stopped',
};
