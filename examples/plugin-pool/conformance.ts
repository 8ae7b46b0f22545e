// What `sltv plugin test conformance.ts` needs to know of this storage.
import { mkdir, open, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Storage } from 'sltv';
import type { Bench, Conformance } from 'sltv/testing';
import folderPool from './folder-pool.ts';

export { default } from './folder-pool.ts';

async function up({ folder, boot }: Bench) {
  const storage = (await boot([folderPool({ name: 'mine', folder, capacity: 1 })])).get(Storage);
  const [pool] = await storage.pools(new AbortController().signal);
  if (!pool) throw new Error('the storage has no pool');
  return { storage, pool };
}

export const conformance: Conformance = {
  storage: {
    activation: 'always',
    make: up,
    reopen: async (bench) => (await up(bench)).pool,
    async makeForeign({ folder }, name) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'disk'), 'made by hand');
    },
    hold: (_bench, volume) => open(volume.path, 'r'),
    // Notes that are replaced are another file, and a file that grew has another size.
    async revision({ folder }) {
      const names = (await readdir(folder, { recursive: true })).sort();
      const facts = names.map(async (name) => {
        const { ino, size, mtimeNs } = await stat(join(folder, name), { bigint: true });
        return `${name} ${ino} ${size} ${mtimeNs}`;
      });
      return (await Promise.all(facts)).join('\n');
    },
  },
};
