// How a command line of lvm is made: only here is lvm started.
import type { Finished, Runner } from 'sltv';
import { explain, type Subject } from './errors.ts';

/** Which devices a command may look at. Undefined: all that the host lets LVM see. */
export type Devices = readonly string[] | undefined;

export interface Lvm {
  /** Runs a reporting command; what it reported is in `report`. The signal kills it. */
  report(words: readonly string[], devices: Devices, signal: AbortSignal): Promise<Finished>;
  /** Runs a command that writes, to its end. Throws what its failure means. */
  commit(words: readonly string[], devices: Devices, subject: Subject): Promise<void>;
}

/** lvm on this host, through the one place that starts processes. */
export function createLvm(run: Runner): Lvm {
  return {
    report: (words, devices, signal) =>
      run.read('lvm', commandLine(words, devices), { signal, timeout: REPORT_DEADLINE, env: ENVIRONMENT }),
    async commit(words, devices, subject) {
      const done = await run.write('lvm', commandLine(words, devices), { lock: `vg-${subject.vg}`, env: ENVIRONMENT });
      // lvm ends with 0 when only some of several metadata areas took the commit: that is no commit to rely on.
      if (done.code !== 0 || done.stderr.includes('Failed to write an MDA')) {
        throw explain(words[0] ?? '', done, subject);
      }
    },
  };
}

/** Milliseconds. A report waits for LVM's own lock while another command writes. */
const REPORT_DEADLINE = 60_000;

/** Reports come over descriptor 3, apart from the warnings that lvm mixes into stdout. */
const ENVIRONMENT = { LVM_REPORT_FD: '3', LVM_SUPPRESS_FD_WARNINGS: '1' };

/**
 * Hints are stale wherever another host writes, guests' own PVs inside our volumes are nobody's business (`scan_lvs`), and
 * asking udev for devices waits for it. Times are reported in seconds since 1970. LVM archives the VG's whole metadata
 * before each commit, for a month: a pool that works all day would fill /etc with it.
 */
const SETTINGS = [
  'devices { hints="none" scan_lvs=0 obtain_device_list_from_udev=0 }',
  'report { time_format="%s" }',
  'backup { retain_days=0 retain_min=100 }',
].join(' ');

function commandLine([command = '', ...words]: readonly string[], devices: Devices): string[] {
  const only = devices === undefined ? [] : ['--devices', devices.join(',')];
  return [command, '--config', SETTINGS, ...only, ...words];
}
