import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allCommands } from '../../core/cli/nouns.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'README.md'), 'utf8');

test("the README's table has every verb, and no other", async () => {
  const written = [...PAGE.matchAll(/^\| `sltv ([a-z ]+[a-z])/gm)].map(([, words = '']) => words);
  assert.equal(written.toSorted(), Object.keys(await allCommands()).toSorted());
});

test('docs/README.md leads to every page of docs, and to every plugin', () => {
  const index = readFileSync(join(ROOT, 'docs/README.md'), 'utf8');
  const pages = [
    ...globSync('*.md', { cwd: join(ROOT, 'docs'), exclude: ['README.md'] }),
    ...globSync('../plugins/*/README.md', { cwd: join(ROOT, 'docs') }),
  ];
  assert.ok(pages.length > 20, 'the pages were found');
  assert.equal(
    pages.filter((page) => !index.includes(`](${page})`)),
    [],
  );
});

test.run();
