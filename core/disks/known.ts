// What volumes say of disks, read once: a pool hands out the same volume for as long as it is as it was, and a host with a thousand
// disks lists them all day.
import type { Disk } from '../capabilities/disks.ts';
import type { Volume } from '../capabilities/storage.ts';
import { type Entry, readEntry, toDisk } from './entry.ts';

export interface Known {
  /** As readEntry. */
  entryOf(volume: Volume): Entry | undefined;
  /** As toDisk, in the state that the notes alone tell. */
  diskOf(entry: Entry): Disk;
}

export function createKnown(): Known {
  const entries = new WeakMap<Volume, { readonly entry: Entry | undefined }>();
  const disks = new WeakMap<Entry, Disk>();
  return {
    entryOf(volume) {
      const known = entries.get(volume) ?? { entry: readEntry(volume) };
      entries.set(volume, known);
      return known.entry;
    },
    diskOf(entry) {
      const disk = disks.get(entry) ?? toDisk(entry);
      disks.set(entry, disk);
      return disk;
    },
  };
}
