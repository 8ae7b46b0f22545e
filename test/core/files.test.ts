import { access, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createDurably, syncDirectory, writeDurably } from '../../core/files.ts';

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'sltv-files-'));
  return { path, file: join(path, 'a'), [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

test('a file has the content that it was given, and nothing else is left', async () => {
  await using here = await folder();
  for (const content of ['a long first content', 'größe', '']) {
    await writeDurably(here.file, content);
    assert.is(await readFile(here.file, 'utf8'), content);
    assert.equal(await readdir(here.path), ['a']);
  }
});

test('a file is replaced, never written over: who has the old one open reads the old one', async () => {
  await using here = await folder();
  await writeDurably(here.file, 'old');
  const before = await stat(here.file);
  await writeDurably(here.file, 'new');
  assert.is.not((await stat(here.file)).ino, before.ino);
});

test('what a power cut left half-written beside it is in nobody’s way', async () => {
  await using here = await folder();
  await writeFile(`${here.file}.new`, 'half of something long');
  await writeDurably(here.file, 'whole');
  assert.is(await readFile(here.file, 'utf8'), 'whole');
  assert.equal(await readdir(here.path), ['a']);
});

test('a file can be read by others and written by its owner only', async () => {
  await using here = await folder();
  const mask = process.umask(0);
  await writeDurably(here.file, 'a').finally(() => process.umask(mask));
  assert.is((await stat(here.file)).mode & 0o777, 0o644);
});

test('where there is no folder nothing is made', async () => {
  await using here = await folder();
  assert.is(await codeOf(writeDurably(join(here.path, 'no/a'), 'a')), 'ENOENT');
  assert.is(await codeOf(access(join(here.path, 'no'))), 'ENOENT');
});

test('what can’t be replaced stays', async () => {
  await using here = await folder();
  assert.is(await codeOf(writeDurably(here.path, 'a')), 'EISDIR');
  assert.ok((await stat(here.path)).isDirectory());
  await rm(`${here.path}.new`);
});

test('a new file has the content that it was given, and what is there is not written over', async () => {
  await using here = await folder();
  await createDurably(here.file, 'größe');
  assert.is(await codeOf(createDurably(here.file, 'another')), 'EEXIST');
  assert.is(await readFile(here.file, 'utf8'), 'größe');
  assert.equal(await readdir(here.path), ['a']);
});

test('a folder is synced, what isn’t there is an error', async () => {
  await using here = await folder();
  await syncDirectory(here.path);
  assert.is(await codeOf(syncDirectory(join(here.path, 'no'))), 'ENOENT');
});

test.run();
