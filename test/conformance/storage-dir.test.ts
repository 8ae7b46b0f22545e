import { open, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type StorageUnderTest, storageConformance } from '../../core/testing/index.ts';
import { dirStorage, firstPool, makeDirectory } from '../fixtures/dir-storage.ts';
import { register } from './uvu.ts';

interface DirUnderTest extends StorageUnderTest {
  readonly directory: string;
}

register(
  storageConformance<DirUnderTest>({
    name: 'dir',
    activation: 'always',
    async make() {
      const made = await makeDirectory();
      const storage = dirStorage({ disks: made.directory });
      return { ...made, storage, pool: await firstPool(storage) };
    },
    revision: ({ directory }) => catalogueAndSizes(directory),
    reopen: ({ directory }) => firstPool(dirStorage({ disks: directory })),
    makeForeign: ({ directory }, name) => writeFile(join(directory, name), 'made by hand'),
    hold: (_made, volume) => open(volume.path, 'r'),
  }),
);

/** A side file that is written anew is another file; a raw volume's commit is its new size. */
async function catalogueAndSizes(directory: string): Promise<string> {
  const names = (await readdir(directory, { recursive: true })).sort();
  const facts = names.map(async (name) => {
    const { ino, size, mtimeNs } = await stat(join(directory, name), { bigint: true });
    return `${name} ${ino} ${size} ${mtimeNs}`;
  });
  return (await Promise.all(facts)).join('\n');
}
