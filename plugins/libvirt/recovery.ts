// A VM whose disk had no room, and one that may not run on: what failed, and how it goes on or ends.
import type { DiskError } from 'sltv';
import { isCode } from './errors.ts';
import { mustBeUuid } from './look.ts';
import { readDiskErrors } from './reports.ts';
import type { Patience, Virsh } from './virsh.ts';

/** QEMU keeps an error until it is started anew, also when the write has long succeeded. Errors: `libvirt/vm-missing`. */
export async function diskErrors(virsh: Virsh, vm: string, patience: Patience): Promise<readonly DiskError[]> {
  mustBeUuid(vm);
  try {
    return readDiskErrors(await virsh([['domblkerror', `--domain=${vm}`]], patience));
  } catch (error) {
    if (isCode(error, 'vm-off')) return [];
    throw error;
  }
}

/** Pulls its plug: the definition stays. Errors: `libvirt/vm-missing`. */
export async function destroy(virsh: Virsh, vm: string, patience: Patience): Promise<void> {
  mustBeUuid(vm);
  await virsh([['destroy', `--domain=${vm}`]], patience).catch((error: unknown) => {
    if (!isCode(error, 'vm-off')) throw error;
  });
}

/** Lets it run. Errors: `libvirt/vm-missing`, `libvirt/vm-off`. */
export async function resume(virsh: Virsh, vm: string, patience: Patience): Promise<void> {
  mustBeUuid(vm);
  await virsh([['resume', `--domain=${vm}`]], patience).catch((error: unknown) => {
    if (!isCode(error, 'vm-runs')) throw error;
  });
}
