// Which of our disks is which device of a running VM.
import { stat } from 'node:fs/promises';
import type { BlockStatistics, Disk } from 'sltv';

export interface Sighting {
  readonly disk: Disk;
  readonly device: BlockStatistics;
}

/** A block device's number; undefined for what is none, or not there. */
type DeviceNumbers = (path: string) => Promise<string | undefined>;

/**
 * By the source's path; where that is another name of the same device (a disk attached by hand, by /dev/mapper, or a volume
 * that a block job pivoted to), by the device's number.
 */
export async function sightingsOf(
  statistics: readonly BlockStatistics[],
  disks: readonly Disk[],
  numberOf: DeviceNumbers = numberOfNode,
): Promise<readonly Sighting[]> {
  const byPath = new Map(disks.map((disk) => [disk.path, disk]));
  const unknown = statistics.filter(({ path }) => path !== undefined && !byPath.has(path));
  const byNumber = unknown.length === 0 ? new Map<string, Disk>() : await numbersOf(disks, numberOf);
  const found = await Promise.all(
    statistics.map(async (device) => {
      if (device.path === undefined) return [];
      const disk = byPath.get(device.path) ?? byNumber.get((await numberOf(device.path)) ?? '');
      return disk === undefined ? [] : [{ disk, device }];
    }),
  );
  return found.flat();
}

async function numbersOf(disks: readonly Disk[], numberOf: DeviceNumbers): Promise<Map<string, Disk>> {
  const numbered = await Promise.all(
    disks.map(async (disk): Promise<readonly (readonly [string, Disk])[]> => {
      const number = await numberOf(disk.path);
      return number === undefined ? [] : [[number, disk]];
    }),
  );
  return new Map(numbered.flat());
}

async function numberOfNode(path: string): Promise<string | undefined> {
  const node = await stat(path).catch(() => undefined);
  return node?.isBlockDevice() ? String(node.rdev) : undefined;
}
