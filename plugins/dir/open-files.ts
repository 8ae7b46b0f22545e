// Who has a file open: the kernel refuses to remove a volume that is in use, but not a file.
import { readdir, readlink, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Whether a process of this host has the file open, as far as this one may look. */
export async function isOpen(path: string): Promise<boolean> {
  const file = await stat(path).catch(() => undefined);
  if (!file) return false;
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const process of processes) {
    for (const link of await linksTo(basename(path), `/proc/${process}/fd`)) {
      const opened = await stat(link).catch(() => undefined);
      if (opened?.dev === file.dev && opened.ino === file.ino) return true;
    }
  }
  return false;
}

/**
 * Descriptors whose file has that name. By name first, since asking the file itself could hang on another file system
 * that doesn't answer; the file after all, since the name is as the process sees it.
 */
async function linksTo(name: string, descriptors: string): Promise<readonly string[]> {
  const links = (await readdir(descriptors).catch(() => [])).map((descriptor) => join(descriptors, descriptor));
  const targets = await Promise.all(links.map((link) => readlink(link).catch(() => '')));
  return links.filter((_, index) => basename(targets[index] ?? '') === name);
}
