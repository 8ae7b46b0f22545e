import { mkdir, rm, writeFile } from 'node:fs/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dirStorage, makeDirectory } from '../../fixtures/dir-storage.ts';

const never = new AbortController().signal;

test('a pool whose directory is not there is left out, and said once each time it goes', async () => {
  await using made = await makeDirectory();
  const said: string[] = [];
  const storage = dirStorage({ disks: made.directory }, { write: (line) => said.push(JSON.parse(line).message) });
  const count = async () => (await storage.pools(never)).length;
  assert.is(await count(), 1);
  assert.equal(said, []);
  for (const times of [1, 2]) {
    await rm(made.directory, { recursive: true });
    assert.equal([await count(), await count()], [0, 0]);
    assert.is(said.length, times);
    assert.match(said.at(-1) ?? '', /pool disks is left out: its directory is not there/);
    await mkdir(made.directory);
    assert.is(await count(), 1);
  }
});

test('a file where the directory should be is no pool', async () => {
  await using made = await makeDirectory();
  await rm(made.directory, { recursive: true });
  await writeFile(made.directory, '');
  assert.equal(await dirStorage({ disks: made.directory }).pools(never), []);
});

test('a pool is the same value each time, so that its turns are one queue', async () => {
  await using made = await makeDirectory();
  const storage = dirStorage({ disks: made.directory });
  assert.is((await storage.pools(never))[0], (await storage.pools(never))[0]);
});

test.run();
