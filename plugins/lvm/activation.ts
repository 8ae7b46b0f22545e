// Whether a volume's device is there on this host, how it comes and goes, and how it follows its volume's size. No commit:
// metadata stays as it is.
import { stat } from 'node:fs/promises';
import type { Volume } from 'sltv';
import type { Lvm } from './commands.ts';
import { sizeOf } from './devices.ts';
import { nodeOf } from './names.ts';
import type { VolumeGroup } from './report.ts';

/** Looks for the device's node; no process is started. */
export async function isActive({ pool, name }: Pick<Volume, 'pool' | 'name'>): Promise<boolean> {
  const node = await stat(nodeOf(pool, name)).catch(() => undefined);
  return node?.isBlockDevice() ?? false;
}

/** Makes the device or takes it away, unless that is so. Errors: `lvm/in-use` while anybody has open what should go. */
export async function setActive(lvm: Lvm, group: VolumeGroup, name: string, active: boolean): Promise<void> {
  const volume = { pool: group.name, name };
  if ((await isActive(volume)) === active) return;
  const words = ['lvchange', '--activate', active ? 'y' : 'n', `${group.name}/${name}`];
  await lvm.commit(words, group.devices, { vg: group.name, systemId: group.systemId, volume: name });
}

/** Whether a volume's device, where there is one, has the volume's size; no process is started. */
export async function isCurrent(volume: Volume): Promise<boolean> {
  return !(await isActive(volume)) || (await sizeOf(nodeOf(volume.pool, volume.name))) === volume.size;
}

/** Brings a device to its volume's size, where there is one. Another host's extension reaches it in no other way. */
export async function refresh(lvm: Lvm, group: VolumeGroup, name: string): Promise<void> {
  if (!(await isActive({ pool: group.name, name }))) return;
  const subject = { vg: group.name, systemId: group.systemId, volume: name };
  await lvm.commit(['lvchange', '--refresh', `${group.name}/${name}`], group.devices, subject);
}
