import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isOpen } from '../../../plugins/dir/open-files.ts';
import { makeDirectory } from '../../fixtures/dir-storage.ts';

async function fileIn(directory: string): Promise<string> {
  const path = join(directory, 'a');
  await writeFile(path, 'data');
  return path;
}

test('a file is open while another process has it open', async () => {
  await using made = await makeDirectory();
  const path = await fileIn(made.directory);
  assert.is(await isOpen(path), false);
  const holder = spawn('sh', ['-c', 'exec 5<"$0"; echo open; read line', path]);
  await once(holder.stdout, 'data');
  assert.is(await isOpen(path), true);
  holder.stdin.end('\n');
  await once(holder, 'close');
  assert.is(await isOpen(path), false);
});

test('a file is open by whatever path it was opened', async () => {
  await using made = await makeDirectory();
  const path = await fileIn(made.directory);
  const old = join(made.directory, 'old');
  await rename(path, old);
  await using _file = await open(old);
  await rename(old, path);
  assert.is(await isOpen(path), true);
});

test('another file of the same name is another file', async () => {
  await using made = await makeDirectory();
  const path = await fileIn(made.directory);
  await mkdir(join(made.directory, 'other'));
  await using _file = await open(await fileIn(join(made.directory, 'other')));
  assert.is(await isOpen(path), false);
});

test('what isn’t there is not open', async () => {
  await using made = await makeDirectory();
  assert.is(await isOpen(join(made.directory, 'a')), false);
});

test.run();
