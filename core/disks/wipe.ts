// What a new thick disk must not show: signatures and partition tables that an earlier tenant left at its ends.
import { open } from 'node:fs/promises';
import { MiB } from '../units.ts';

const CLEARED = Number(MiB);

/**
 * Writes zeroes over the first and the last MiB of the device, and makes them durable. The middle keeps whatever was
 * there before: docs/on-disk-format.md says what that means.
 */
export async function clearEnds(path: string, size: bigint): Promise<void> {
  await using device = await open(path, 'r+');
  const zeroes = Buffer.alloc(CLEARED);
  const length = Math.min(CLEARED, Number(size));
  await device.write(zeroes, 0, length, 0);
  await device.write(zeroes, 0, length, Number(size) - length);
  await device.sync();
}
