// What can go wrong in a directory pool.
import { errors, type Volume } from 'sltv';

export const fail = errors('dir', {
  'pool-missing': 'unavailable',
  'volume-missing': 'not-found',
  'file-missing': 'not-found',
  'volume-exists': 'exists',
  'bad-name': 'invalid',
  'no-space': 'exhausted',
  open: 'busy',
  'other-domain': 'refused',
  'read-only': 'refused',
  'side-file': 'refused',
  newer: 'unsupported',
  'tool-failed': 'internal',
  'turn-over': 'internal',
});

export const missingVolume = (pool: string, name: string) =>
  fail('volume-missing', `there is no volume ${pool}/${name}`, { hint: 'sltv disk list' });

export const missingFile = ({ pool, name, path }: Volume) =>
  fail('file-missing', `the file of volume ${pool}/${name}, ${path}, is gone`, {
    hint: `restore ${path}, or delete the disk: sltv disk delete ${pool}/${name}`,
  });

export const missingDirectory = (pool: string, directory: string, cause?: unknown) =>
  fail('pool-missing', `the directory of pool ${pool}, ${directory}, is not there`, {
    hint: `mount it, or make it: mkdir -m 0711 ${directory}`,
    cause,
  });

/** What the file system said, in our words where its meaning is known. */
export function inOurWords(error: unknown, pool: string, directory: string): unknown {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'ENOSPC':
    case 'EDQUOT':
      return fail('no-space', `the file system of pool ${pool} (${directory}) is full`, {
        hint: `free some space there: df -h ${directory}`,
        cause: error,
      });
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return fail('read-only', `the daemon may not write in pool ${pool} (${directory})`, {
        hint: `look at its mount and mode: findmnt -T ${directory}; ls -ld ${directory}`,
        cause: error,
      });
    case 'ENOENT':
    case 'ENOTDIR':
      return missingDirectory(pool, directory, error);
    default:
      return error;
  }
}

/** For `catch`: what isn't there is undefined, and any other failure is one. */
export function noneIfAbsent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
