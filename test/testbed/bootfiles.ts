// Where the files are that a host boots from, and whether they were made from what the repository says now.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const cache = join(root, '.cache', 'testbed');

/** Absolute paths; the same inside a host, which sees the repository where it is. */
export const paths = {
  root,
  sources: here,
  cache,
  runs: join(cache, 'run'),
  download: join(cache, 'download'),
  /** The unpacked kernel package. */
  kernel: join(cache, 'kernel'),
  vmlinux: join(cache, 'vmlinux'),
  initramfs: join(cache, 'initramfs.gz'),
  /** What every host's system disk begins as. */
  systemDisk: join(cache, 'system.img'),
  tinyGuest: join(cache, 'tiny-guest'),
  linuxGuest: join(cache, 'linux-guest.gz'),
  /** Written last: the fingerprint of what everything else was made from. */
  stamp: join(cache, 'stamp'),
};

/** What the boot files are made from, in one word: it changes when they must be made anew. */
export function fingerprint(): string {
  const hash = createHash('sha256').update(root);
  const made = [
    'prepare.ts',
    'inside/initramfs-init',
    'inside/install.sh',
    ...readdirSync(join(here, 'guests')).map((name) => `guests/${name}`),
  ];
  for (const name of made.toSorted()) hash.update(`${name}\0`).update(readFileSync(join(here, name)));
  return hash.digest('hex');
}

/** The fingerprint of the boot files that are there; empty without any. */
export function preparedFrom(): string {
  try {
    return readFileSync(paths.stamp, 'utf8').trim();
  } catch {
    return '';
  }
}
