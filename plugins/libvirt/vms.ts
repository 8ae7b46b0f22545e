// The VMs of this host.
import type { Vm } from 'sltv';
import { isCode } from './errors.ts';
import { isNumber, LIST, type Names } from './names.ts';
import { readInfo, readList, readStats } from './reports.ts';
import type { Patience, Virsh } from './virsh.ts';

/**
 * All VMs, in one process whatever their number. libvirt locks each VM for a moment, so this waits while the start hook of
 * any VM runs; what concerns one VM asks about that one instead.
 */
export async function listVms(virsh: Virsh, names: Names, patience: Patience): Promise<readonly Vm[]> {
  const text = await virsh([['domstats', '--state', '--nowait'], LIST], patience);
  const uuids = readList(text);
  names.learn(uuids);
  return readStats(text).flatMap(({ name, state }) => {
    const uuid = uuids.get(name.trimEnd());
    return uuid === undefined ? [] : [{ uuid, name, state }];
  });
}

/** The VM of this uuid or name; undefined when there is none. */
export async function findVm(virsh: Virsh, names: Names, word: string, patience: Patience): Promise<Vm | undefined> {
  // No VM's name is empty or has a control character; virsh would take the first for a missing argument.
  if (word === '' || /\p{Cc}/u.test(word)) return undefined;
  if (isNumber(word)) return (await listVms(virsh, names, patience)).find(({ name }) => name === word);
  try {
    const { uuid, name, state } = readInfo(await virsh([['dominfo', `--domain=${word}`]], patience));
    return { uuid, name, state };
  } catch (error) {
    if (isCode(error, 'vm-missing')) return undefined;
    throw error;
  }
}
