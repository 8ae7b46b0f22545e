// Where things lie: a reader who knows a source file's path knows its tests', and the other way round.
import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = join(import.meta.dirname, '../..');
const SOURCES = globSync('{core,plugins}/**/*.ts', { cwd: ROOT });
const TESTS = globSync('test/{core,plugins}/**/*.test.ts', { cwd: ROOT });

/** Folders that need no tests of their own, nor what is in them, and why. */
const UNTESTED: Readonly<Record<string, string>> = {
  'core/api/gen': 'generated; a test regenerates and compares',
  'core/capabilities': 'interfaces: the conformance suites test whoever implements them',
  'core/api/handlers': 'each translates one service: tests of the API call them through the wire',
  'core/testing': 'the conformance suites: test/conformance runs them over every provider',
};

const folders = (files: readonly string[]) => new Set(files.map(dirname));

test('every folder under core and plugins has its mirror under test', () => {
  const tested = folders(TESTS);
  const isExempt = (folder: string) => Object.keys(UNTESTED).some((exempt) => `${folder}/`.startsWith(`${exempt}/`));
  const bare = [...folders(SOURCES)].filter((folder) => !isExempt(folder) && !tested.has(`test/${folder}`));
  assert.equal(bare, []);
});

test('every test under test/core and test/plugins lies where its source lies', () => {
  const sources = folders(SOURCES);
  const lost = TESTS.filter((file) => !sources.has(dirname(file).slice('test/'.length)));
  assert.equal(lost, []);
});

test('a folder that needs no tests exists', () => {
  assert.equal(
    Object.keys(UNTESTED).filter((folder) => !existsSync(join(ROOT, folder))),
    [],
  );
});

test('every plugin has a page beside its source', () => {
  const plugins = globSync('plugins/*/index.ts', { cwd: ROOT }).map(dirname);
  assert.ok(plugins.length > 0, 'the plugins were found');
  assert.equal(
    plugins.filter((folder) => !existsSync(join(ROOT, folder, 'README.md'))),
    [],
  );
});

test('no file is a drawer for whatever fits nowhere', () => {
  const drawers = SOURCES.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)/.test(file));
  assert.equal(drawers, []);
});

test.run();
