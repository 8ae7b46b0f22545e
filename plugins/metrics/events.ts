// What core's events count.
import {
  CommandFinished,
  DiskExtended,
  DiskPaused,
  DiskResumed,
  type Distribution,
  durationBounds,
  type Event,
  Measured,
  NodeFenced,
  OperationFinished,
} from 'sltv';
import type { Counted, Counts } from './counts.ts';

const Operations: Counted = {
  name: 'sltv_operations_total',
  help: 'calls to the daemon that have ended, by what was asked and ok or the code of the error',
  labels: ['operation', 'result'],
};
const OperationDuration: Distribution = {
  name: 'sltv_operation_duration_seconds',
  help: 'how long calls to the daemon took, however they ended',
  labels: ['operation'],
  bounds: durationBounds,
};
const Commands: Counted = {
  name: 'sltv_commands_total',
  help: 'processes of lvm, virsh, qemu-img and the like that have ended, by their exit status; none: they did not start, or in time',
  labels: ['command', 'status'],
};
const CommandDuration: Distribution = {
  name: 'sltv_command_duration_seconds',
  help: 'how long processes of lvm, virsh, qemu-img and the like took',
  labels: ['command'],
  bounds: durationBounds,
};
const Extensions: Counted = {
  name: 'sltv_disk_extensions_total',
  help: 'disks that were extended; automatic: for a guest that was about to fill one',
  labels: ['automatic'],
};
const Pauses: Counted = {
  name: 'sltv_disk_pauses_total',
  help: 'how often a guest stood still because its disk was full',
  labels: [],
};
const Resumes: Counted = {
  name: 'sltv_disk_resumes_total',
  help: 'how often a guest that stood still because its disk was full was let run on',
  labels: [],
};
const PauseDuration: Distribution = {
  name: 'sltv_disk_pause_duration_seconds',
  help: 'how long guests stood still because their disk was full, of those that run again',
  labels: [],
  bounds: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600],
};
const Fences: Counted = {
  name: 'sltv_node_fences_total',
  help: 'lives of nodes that this daemon saw declared over',
  labels: [],
};

/** As `Setup.on`. */
type On = <T>(event: Event<T>, see: (what: T) => void) => void;

export function countEvents(on: On, counts: Counts): void {
  on(OperationFinished, (finished) => {
    const { result, milliseconds } = finished;
    const operation = operationOf(finished);
    counts.count(Operations, { operation, result });
    counts.observe(OperationDuration, milliseconds / 1000, { operation });
  });
  on(CommandFinished, ({ command, code, milliseconds }) => {
    counts.count(Commands, { command, status: String(code ?? 'none') });
    counts.observe(CommandDuration, milliseconds / 1000, { command });
  });
  on(DiskExtended, ({ automatic }) => counts.count(Extensions, { automatic: String(automatic) }));
  on(DiskPaused, () => counts.count(Pauses));
  on(DiskResumed, ({ milliseconds }) => {
    counts.count(Resumes);
    counts.observe(PauseDuration, milliseconds / 1000);
  });
  on(NodeFenced, () => counts.count(Fences));
  on(Measured, ({ of, value, labels }) => counts.observe(of, value, labels));
  // What has not happened yet is 0, or its first time would not be seen to be one more.
  for (const each of [Pauses, Resumes, PauseDuration, Fences]) counts.declare(each);
  for (const automatic of ['true', 'false']) counts.declare(Extensions, { automatic });
}

/**
 * A plugin's verb by its own words, `autoextend.set`, once its answer shows that there is one: anybody may ask for any words, and
 * each would be a series.
 */
function operationOf({ operation, subject, result }: Finished): string {
  if (operation !== 'plugin.call' && operation !== 'plugin.watch') return operation;
  const [plugin = ''] = subject.split(' ', 1);
  const isThere = result === 'ok' || (plugin !== 'core' && result.startsWith(`${plugin}/`));
  return isThere ? subject.replaceAll(' ', '.') : operation;
}

interface Finished {
  readonly operation: string;
  readonly subject: string;
  readonly result: string;
}
