// What a VM really has: its devices now, and those of its next start.
import type { VmDisk } from 'sltv';
import { fail, isCode, missingVm } from './errors.ts';
import { readInfo } from './reports.ts';
import type { Patience, Virsh } from './virsh.ts';
import type { DomainDisk, Xml } from './xml.ts';

export interface Sight {
  readonly name: string;
  readonly isRunning: boolean;
  /** It has a definition that outlives its run. */
  readonly isPersistent: boolean;
  readonly live: readonly DomainDisk[];
  readonly persistent: readonly DomainDisk[];
}

/** Looks at one VM, by its uuid. Kinds: `not-found`. */
export type Look = (vm: string, patience: Patience) => Promise<Sight>;

/** virsh would take other words for a running domain's number or a name. Errors: `libvirt/vm-missing`. */
export function mustBeUuid(vm: string): void {
  if (!UUID.test(vm)) throw missingVm(vm);
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function createLook(virsh: Virsh, xml: Xml): Look {
  return async (vm, patience) => {
    mustBeUuid(vm);
    // In this order: a line of a description in the XML may look like one of dominfo's.
    const commands = [
      ['dominfo', vm],
      ['dumpxml', vm],
      ['dumpxml', vm, '--inactive'],
    ];
    const text = await virsh(commands, patience).catch((error: unknown) => {
      throw isCode(error, 'vm-missing') ? missingVm(vm, error) : error;
    });
    const [now, next] = documents(text).map(xml.domain);
    if (!now || !next) throw fail('bad-answer', `virsh dumpxml printed no XML for VM ${vm}`, { cause: text });
    const { name, isPersistent } = readInfo(text);
    // A transient domain answers with a definition too, and has none.
    return {
      name,
      isRunning: now.isLive,
      isPersistent,
      live: now.isLive ? now.disks : [],
      persistent: isPersistent ? next.disks : [],
    };
  };
}

/** libvirt indents all but the root: nothing in a <metadata> can be taken for the end. */
function documents(text: string): readonly string[] {
  return [...text.matchAll(/^<domain [\s\S]*?^<\/domain>$/gm)].map(([document]) => document);
}

/**
 * Live and persistent disks merged by target. Where a target has another source now than at the next start (a changed
 * medium, an edited definition) both are there.
 */
export function merged({ live, persistent }: Sight): readonly VmDisk[] {
  const same = (a: DomainDisk) => (b: DomainDisk) => a.target === b.target && a.path === b.path;
  const plain = ({ target, path, format, readOnly }: DomainDisk) => ({ target, path, format, readOnly });
  return [
    ...live.map((disk) => ({ ...plain(disk), live: true, persistent: persistent.some(same(disk)) })),
    ...persistent
      .filter((disk) => !live.some(same(disk)))
      .map((disk) => ({ ...plain(disk), live: false, persistent: true })),
  ];
}
