// Whether a volume's device is there on this host, and how it comes and goes. No commit: metadata stays as it is.
import { stat } from 'node:fs/promises';
import type { Volume } from 'sltv';
import type { Lvm } from './commands.ts';
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
  await lvm.commit(words, group.devices, { vg: group.name, volume: name });
}
