// The pools of the config that are there.
import { stat } from 'node:fs/promises';
import type { Log, Node, Runner, Storage } from 'sltv';
import { missingDirectory } from './errors.ts';
import { createPool } from './pool.ts';

/** A Storage of these directories, by their pools' names. */
export function createStorage(
  directories: Readonly<Record<string, string>>,
  { node, run, log }: { node: Node; run: Runner; log: Log },
): Storage {
  const absent = new Set<string>();
  const pools = Object.entries(directories).map(([name, directory]) => ({
    name,
    directory,
    pool: createPool({ name, directory, node, run, log: log.with({ pool: name }) }),
  }));
  return {
    kind: 'dir',
    async pools(signal) {
      signal.throwIfAborted();
      const found = await Promise.all(pools.map(({ directory }) => isDirectory(directory)));
      for (const [index, { name, directory }] of pools.entries()) {
        if (found[index]) absent.delete(name);
        else if (!absent.has(name)) {
          absent.add(name);
          log.warn(`pool ${name} is left out: its directory is not there`, { directory });
        }
      }
      return pools.filter(({ name }) => !absent.has(name)).map(({ pool }) => pool);
    },
    absence: (name) => (absent.has(name) ? missingDirectory(name, directories[name] ?? '') : undefined),
  };
}

const isDirectory = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
