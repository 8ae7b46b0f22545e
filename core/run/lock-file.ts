// Locks that are files: of this process alone, until it ends, however it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { coreErrors } from '../errors.ts';
import { notStarted } from './child.ts';

/**
 * Takes a lock file for this process, until it is disposed of or the process ends, however it ends. Others wait, in this
 * process as in any other, for as long as their signal lets them. Kinds: `unavailable` (`core/no-tool`) without flock.
 */
export async function lockFile(path: string, signal: AbortSignal): Promise<AsyncDisposable> {
  const file = await takeLock(path, ['--exclusive'], signal);
  if (file) return file;
  throw coreErrors('tool-failed', `flock could not lock ${path}`);
}

/** As lockFile, but undefined at once when another has it. */
export async function tryLockFile(path: string): Promise<AsyncDisposable | undefined> {
  return await takeLock(path, ['--exclusive', '--nonblock']);
}

async function takeLock(path: string, how: readonly string[], signal?: AbortSignal) {
  const file = await open(path, 'a', 0o600);
  let taken = false;
  try {
    taken = await flock(file.fd, how, signal);
    return taken ? file : undefined;
  } finally {
    if (!taken) await file.close();
  }
}

/** A flock belongs to the open file, which parent and child share: when flock(1) has ended, it is ours. */
export async function flock(file: number, how: readonly string[], signal?: AbortSignal): Promise<boolean> {
  const child = spawn('flock', [...how, '0'], { stdio: [file, 'ignore', 'ignore'], ...(signal && { signal }) });
  const [code] = await once(child, 'close').catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw notStarted('flock', cause);
  });
  return code === 0;
}
