// Disks as files in directories of this host.
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { definePlugin, Storage, v } from 'sltv';
import { fail } from './errors.ts';
import { createStorage } from './storage.ts';

const PoolName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, "a pool's name has letters, digits and . _ - , at most 63"),
);
const Directory = v.pipe(
  v.string(),
  v.startsWith('/', 'expected a directory by its absolute path'),
  v.transform((path) => path.replace(/(?<=.)\/+$/, '')),
);

const DirOptions = v.strictObject({
  pools: v.pipe(
    v.optional(
      v.pipe(
        v.record(PoolName, Directory),
        v.check(
          (pools) => new Set(Object.values(pools)).size === Object.keys(pools).length,
          'two pools share a directory',
        ),
      ),
    ),
    v.metadata({ default: '`disks` in the state directory, which is made' }),
    v.description("directories by their pools' names, `{ ssd: '/srv/ssd' }`; they have to exist"),
  ),
});

export default definePlugin({
  name: 'dir',
  api: 1,
  options: DirOptions,
  errors: fail,
  provides: { storage: Storage },
  async setup({ options, node, run, log }) {
    const directories = options.pools ?? { disks: await defaultDirectory(node.stateDir) };
    return { provides: { storage: createStorage(directories, { node, run, log }) } };
  },
});

/** QEMU runs as a user of its own and must reach its files, which nobody needs to list: 0711. */
async function defaultDirectory(stateDir: string): Promise<string> {
  const directory = join(stateDir, 'disks');
  const made = await mkdir(directory, { recursive: true });
  // Not by mkdir's mode: the umask would have its say.
  if (made !== undefined) await chmod(directory, 0o711);
  return directory;
}
