// What a pool is made of: block devices that somebody names.
import { readFile, stat } from 'node:fs/promises';
import { MiB } from 'sltv';
import { lvmErrors } from './errors.ts';

/** Those that are not among the devices that a VG has already, each once, under whatever names. Errors as `numberOf`. */
export async function devicesLacking(wanted: readonly string[], had: readonly string[]): Promise<string[]> {
  const present = await Promise.all(had.map(numberOf));
  const asked = await Promise.all(wanted.map(numberOf));
  return wanted.filter((_, n) => !present.includes(asked[n] ?? '') && asked.indexOf(asked[n] ?? '') === n);
}

/**
 * How large the metadata area on these devices should be, bytes. Half of it is usable, and a volume takes some 300 bytes:
 * LVM's own 1 MiB is full at 1,700 volumes, and can't be enlarged later. Every device gets one of the same size, because
 * the smallest counts. Errors as `numberOf`.
 */
export async function metadataSizeFor(devices: readonly string[]): Promise<bigint> {
  const sizes = await Promise.all(devices.map(sizeOf));
  const share = sizes.map((size) => size / SMALLEST_SHARE);
  return [...share, LARGEST_METADATA].reduce((least, size) => (size < least ? size : least));
}

const LARGEST_METADATA = 128n * MiB;
/** A small device gives a 32nd of itself: from 4 GiB on that is all that is wanted. */
const SMALLEST_SHARE = 32n;

/** What the kernel has the device as, bytes. Errors as `numberOf`. */
export async function sizeOf(device: string): Promise<bigint> {
  const sectors = await readFile(`/sys/dev/block/${await numberOf(device)}/size`, 'utf8');
  return BigInt(sectors.trim()) * 512n;
}

/** A block device's `major:minor`. Errors: `lvm/device-missing` for what is none. */
async function numberOf(device: string): Promise<string> {
  const node = device.startsWith('/') ? await stat(device).catch(() => undefined) : undefined;
  if (!node?.isBlockDevice()) {
    const meant = device.startsWith('/') ? undefined : await stat(`/dev/${device}`).catch(() => undefined);
    throw lvmErrors('device-missing', `${device} is not a block device of this host`, {
      hint: meant?.isBlockDevice() ? `did you mean /dev/${device}?` : 'lsblk lists them',
    });
  }
  // The kernel's encoding of st_rdev: 12 bits of major in the middle, 20 of minor around them.
  const major = (node.rdev >> 8) & 0xfff;
  const minor = (node.rdev & 0xff) | ((node.rdev >> 12) & 0xfff00);
  return `${major}:${minor}`;
}
