// Block statistics of all running VMs, in one call where no VM hangs.
import type { BlockStatistics, Log } from 'sltv';
import { isCode } from './errors.ts';
import { LIST, type Names } from './names.ts';
import { type DomainStats, readList, readStats } from './reports.ts';
import type { Virsh } from './virsh.ts';

export interface Counting {
  readonly virsh: Virsh;
  readonly names: Names;
  readonly log: Log;
  /** Milliseconds for the one call about all VMs, and for a VM that has to be asked alone. */
  readonly deadlines: { readonly statistics: number; readonly alone: number };
}

/** VMs asked at the same time: each that hangs holds one of libvirtd's 20 workers. */
const AT_ONCE = 4;

/**
 * Statistics of every disk of every active VM. The first call that meets a hung VM waits for it in libvirtd, so all VMs
 * are asked one by one then; from there on libvirt knows that it is busy, and `--nowait` passes over it. A VM that does
 * not answer for itself is left out.
 */
export async function readStatistics(means: Counting, signal: AbortSignal): Promise<readonly BlockStatistics[]> {
  const { virsh, names, deadlines } = means;
  const everything = ['domstats', '--block', '--state', '--list-active', '--nowait'];
  const text = await virsh([everything, LIST], { signal, deadline: deadlines.statistics }).catch((error: unknown) => {
    if (isCode(error, 'no-answer') && names.known().length > 0) return undefined;
    throw error;
  });
  if (text === undefined) return await askAllApart(means, signal);
  const uuids = readList(text);
  names.learn(uuids);
  const all = readStats(text).flatMap((stats) => {
    const vm = uuids.get(stats.name.trimEnd());
    return vm === undefined ? [] : [{ vm, stats }];
  });
  const busy = all.filter(({ stats }) => isSilent(stats)).map(({ vm }) => vm);
  const answered = all.flatMap(({ vm, stats }) => blocksOf(vm, stats));
  return [...answered, ...(busy.length > 0 ? await askEach(means, busy, signal) : [])];
}

const isSilent = ({ blocks }: DomainStats): boolean => blocks.some(({ writtenBytes }) => writtenBytes === undefined);

function blocksOf(vm: string, { blocks, stopped }: DomainStats): readonly BlockStatistics[] {
  return blocks.flatMap(({ writtenBytes, ...block }) =>
    writtenBytes === undefined ? [] : [{ vm, ...block, writtenBytes, stopped }],
  );
}

/** Every VM that was heard of last, alone. Errors: the first, when not a single one answered. */
async function askAllApart(means: Counting, signal: AbortSignal): Promise<readonly BlockStatistics[]> {
  const failures: unknown[] = [];
  const vms = means.names.known();
  const found = await askEach(means, vms, signal, (error) => failures.push(error));
  if (failures.length === vms.length) throw failures[0];
  return found;
}

/** These VMs, each alone; those that fail are left out. */
async function askEach(
  means: Counting,
  vms: readonly string[],
  signal: AbortSignal,
  failed: (error: unknown) => void = () => {},
): Promise<readonly BlockStatistics[]> {
  const waiting = [...vms];
  const found: BlockStatistics[] = [];
  const worker = async () => {
    for (let vm = waiting.shift(); vm !== undefined && !signal.aborted; vm = waiting.shift()) {
      try {
        found.push(...(await askOne(means, vm, signal)));
      } catch (error) {
        means.log.debug('a VM tells no statistics', { vm, error });
        failed(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  signal.throwIfAborted();
  return found;
}

async function askOne(
  { virsh, deadlines }: Counting,
  vm: string,
  signal: AbortSignal,
): Promise<readonly BlockStatistics[]> {
  const text = await virsh([['domstats', '--block', '--state', vm]], { signal, deadline: deadlines.alone });
  return readStats(text).flatMap((stats) => blocksOf(vm, stats));
}
