// How a command line of lvm is made: only here is lvm started.
import type { Finished, Runner } from 'sltv';
import { explain, type Subject } from './errors.ts';

/** Which devices a command may look at. Undefined: all that the host lets LVM see. */
export type Devices = readonly string[] | undefined;

export interface Lvm {
  /** Runs a reporting command; what it reported is in `report`. The signal kills it. */
  report(words: readonly string[], devices: Devices, signal: AbortSignal): Promise<Finished>;
  /** Runs a command that writes, to its end; `word` stands in what it writes. Throws what its failure means. */
  commit(words: readonly string[], devices: Devices, subject: Subject, word?: string): Promise<void>;
  /** Runs a command that a person typed, to its end, whatever that is. It asks nothing: its stdin is empty. */
  shell(words: readonly string[], subject: Subject): Promise<Finished>;
  /** Waits until no command of whoever had the VG's lock on this host writes any more. Errors: `core/timeout` among others. */
  settle(vg: string, signal: AbortSignal): Promise<void>;
}

/**
 * lvm on this host, through the one place that starts processes. Commands that write carry `systemId` where it is the VG's,
 * for themselves alone.
 */
export function createLvm(run: Runner, systemId?: string): Lvm {
  const report: Lvm['report'] = (words, devices, signal) =>
    run.read('lvm', commandLine(words, devices), { signal, timeout: REPORT_DEADLINE, env: ENVIRONMENT });
  // Only where there are other hosts does anybody settle.
  const givesBack = systemId !== undefined;
  const identity = (subject: Subject) =>
    systemId !== undefined && subject.systemId === systemId ? [identifiedAs(systemId)] : [];
  return {
    report,
    async commit(words, devices, subject, word) {
      const line = commandLine(words, devices, [...identity(subject), ...(word === undefined ? [] : [`# ${word}`])]);
      const done = await run.write('lvm', line, { lock: `vg-${subject.vg}`, env: ENVIRONMENT, givesBack });
      // lvm ends with 0 when only some of several metadata areas took the commit: that is no commit to rely on.
      if (done.code !== 0 || done.stderr.includes('Failed to write an MDA')) {
        throw explain(words[0] ?? '', done, subject);
      }
    },
    shell(words, subject) {
      const { LVM_REPORT_FD: _, ...env } = ENVIRONMENT;
      return run.write('lvm', commandLine(words, undefined, identity(subject)), {
        lock: `vg-${subject.vg}`,
        env,
        givesBack,
      });
    },
    async settle(vg, signal) {
      await run.quiet(`vg-${vg}`, signal);
      // Not `--readonly`: that would not wait for LVM's own lock, which a command that nobody knows of may have.
      const done = await report(['vgs', '--foreign', '-o', 'vg_seqno', vg], undefined, signal);
      if (done.code !== 0) throw explain('vgs', done, { vg });
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

/** Another system ID than the host's own, or one where it has none: `extra_system_ids` alone needs one to be extra to. */
const identifiedAs = (systemId: string): string =>
  `global { system_id_source="lvmlocal" } local { system_id="${systemId}" }`;

/**
 * The settings come first: lvm writes its command line behind the metadata, cut off after 2,048 characters, and there the word
 * is looked for.
 */
function commandLine(
  [command = '', ...words]: readonly string[],
  devices: Devices,
  more: readonly string[] = [],
): string[] {
  const only = devices === undefined ? [] : ['--devices', devices.join(',')];
  return [command, '--config', [SETTINGS, ...more].join(' '), ...only, ...words];
}
