// Which VM a name means. virsh tells statistics and events by name; a VM is known by its uuid.
import { isCode } from './errors.ts';
import { readInfo, readList } from './reports.ts';
import type { Virsh } from './virsh.ts';

export interface Names {
  /** The uuid of the VM of this name; asks libvirt about names that were not heard of. Undefined when there is none. */
  uuidOf(name: string, signal: AbortSignal): Promise<string | undefined>;
  /** Takes over what `list --all --uuid --name` said. */
  learn(list: ReadonlyMap<string, string>): void;
  /** Another VM may have this name now. */
  forget(name: string): void;
  /** All VMs that were heard of last. */
  known(): readonly string[];
}

export const LIST = ['list', '--all', '--uuid', '--name'] as const;

/**
 * virsh takes a word of digits for the number of a running domain before it takes it for a name, so such a name is only
 * safe in a list.
 */
export const isNumber = (name: string): boolean => /^\d+$/.test(name);

export function createNames(virsh: Virsh, deadline: number): Names {
  const uuids = new Map<string, string>();
  const learn = (list: ReadonlyMap<string, string>) => {
    uuids.clear();
    for (const [name, uuid] of list) uuids.set(name, uuid);
  };
  return {
    learn,
    forget: (name) => uuids.delete(name),
    known: () => [...uuids.values()],
    async uuidOf(name, signal) {
      const known = uuids.get(name);
      if (known !== undefined) return known;
      if (isNumber(name)) {
        learn(readList(await virsh([LIST], { signal, deadline })));
        return uuids.get(name);
      }
      // Not the list, which waits while any VM's hook runs.
      const text = await virsh([['dominfo', `--domain=${name}`]], { signal, deadline }).catch((error: unknown) => {
        if (isCode(error, 'vm-missing')) return undefined;
        throw error;
      });
      const uuid = text === undefined ? undefined : readInfo(text).uuid;
      if (uuid !== undefined) uuids.set(name, uuid);
      return uuid;
    },
  };
}
