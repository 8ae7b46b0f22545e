// How large the image of each disk can get: its volume need not grow beyond that.
import { coalesce } from './coalesce.ts';
import { type Guarded, namesOf } from './guarded.ts';
import type { Means } from './means.ts';

/**
 * Finds out the limits that are not known, and settles each disk that got one. Off the way of any extension, and one after the
 * other: each takes qemu-img a moment. Never throws.
 */
export function createLimits(
  { disks, log, life }: Pick<Means, 'disks' | 'log' | 'life'>,
  guarded: () => readonly Guarded[],
  settle: (guarded: Guarded) => Promise<void>,
): () => Promise<void> {
  return coalesce(async () => {
    for (const each of guarded().filter(isLimitUnknown)) {
      if (life.aborted) return;
      const { disk, fill } = each;
      try {
        each.fullSize = { bytes: await disks.fullSize(disk, life), virtual: disk.virtualSize, fill };
        await settle(each);
      } catch (error) {
        if (!life.aborted) log.debug('how large an image can get is not known', { ...namesOf(each), error });
      }
    }
  });
}

/** Also of one that has come to its limit and is written on: its image may have got snapshots. */
function isLimitUnknown({ fullSize, disk, physical, fill }: Guarded): boolean {
  if (fullSize === undefined || fullSize.virtual !== disk.virtualSize) return true;
  return fullSize.bytes !== undefined && physical >= fullSize.bytes && fill > fullSize.fill;
}
