// Files that must survive a power cut.
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replaces a file's content so that after a power cut it is the old or the new, whole: write, fsync, rename, fsync. */
export async function writeDurably(path: string, content: string): Promise<void> {
  const fresh = `${path}.new`;
  {
    // Closed before it has its name: a program that somebody writes to can't be started.
    await using file = await open(fresh, 'w', 0o644);
    await file.writeFile(content);
    await file.sync();
  }
  await rename(fresh, path);
  await syncDirectory(dirname(path));
}

/**
 * Makes a file that is not there yet; what it holds survives a power cut once this returns, and one meanwhile may leave it torn.
 * Half as long as to replace one. Errors: `EEXIST`.
 */
export async function createDurably(path: string, content: string): Promise<void> {
  await synced(await open(path, 'wx', 0o644), (file) => file.writeFile(content));
  await syncDirectory(dirname(path));
}

/** Makes creations, renames and removals in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  await synced(await open(path, 'r'));
}

/** Nobody waits for the closing, which would be one more turn of a thread: what is synced is safe. */
async function synced(file: FileHandle, write: (file: FileHandle) => Promise<void> = async () => {}): Promise<void> {
  try {
    await write(file);
    await file.sync();
  } finally {
    file.close().catch(() => {});
  }
}
