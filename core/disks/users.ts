// Which VM has a volume that nobody has told sltv of: found among all disks of all VMs, by name or by the device's number.
import { stat } from 'node:fs/promises';
import type { Vm, VmDisk } from '../capabilities/hypervisor.ts';
import { isAt, type Volume } from '../capabilities/storage.ts';
import { asSltvError, coreErrors } from '../errors.ts';
import type { World } from './world.ts';

/** A VM's device that is a volume. */
export interface User {
  readonly vm: Vm;
  readonly device: VmDisk;
}

/** All disks of all VMs of this host, now and at their next start. Errors: the hypervisor's, since silence is no answer. */
export async function lookAtVms(
  { hypervisor }: Pick<World, 'hypervisor'>,
  signal: AbortSignal,
): Promise<readonly User[]> {
  const vms = (await hypervisor?.vms(signal)) ?? [];
  const looked = vms.map(async (vm) => {
    const disks = await hypervisor?.disks(vm.uuid, signal).catch((error: unknown) => {
      // One that has just gone has none.
      if (asSltvError(error).kind === 'not-found') return [];
      throw error;
    });
    return (disks ?? []).map((device) => ({ vm, device }));
  });
  return (await Promise.all(looked)).flat();
}

/** Those among them that have the volume. The number tells only while the volume is active. */
export async function usersOf(volume: Volume, all: readonly User[]): Promise<readonly User[]> {
  const number = await numberOf(volume.path);
  const isUser = async ({ device: { path } }: User) =>
    isAt(volume, path) || (path !== undefined && number !== undefined && (await numberOf(path)) === number);
  const answers = await Promise.all(all.map(isUser));
  return all.filter((_, n) => answers[n]);
}

/**
 * The one that has it, as it has it now rather than at its next start; undefined when none has. Errors: `core/disk-attached` when
 * several have, `core/source-unstable` for one that has it by a name that may be another volume's tomorrow.
 */
export function soleUser(volume: Volume, users: readonly User[]): User | undefined {
  const [first] = users;
  if (!first) return undefined;
  const name = `${volume.pool}/${volume.name}`;
  const others = users.filter(({ vm, device }) => vm.uuid !== first.vm.uuid || device.target !== first.device.target);
  if (others.length > 0) {
    const all = [...new Set(users.map(({ vm, device }) => `${vm.name} (${device.target})`))].join(', ');
    throw coreErrors('disk-attached', `several have ${name}: ${all}; a disk has one VM, and that once`, {
      hint: 'take it out of all but one: virsh detach-disk, or virsh edit',
    });
  }
  const odd = users.find(({ device }) => !isAt(volume, device.path));
  if (odd) {
    throw coreErrors(
      'source-unstable',
      `${odd.vm.name} has ${name} as ${odd.device.path}, which may be another volume after the next start`,
      {
        hint: `virsh edit ${odd.vm.name}: give ${odd.device.target} the source ${volume.path}, then stop and start it`,
      },
    );
  }
  return users.find(({ device }) => device.live) ?? first;
}

/** What tells a device, or a file, whatever it is called; undefined for what is not there. */
async function numberOf(path: string): Promise<string | undefined> {
  const node = await stat(path).catch(() => undefined);
  if (!node) return undefined;
  return node.isBlockDevice() ? `device ${node.rdev}` : `file ${node.dev} ${node.ino}`;
}
