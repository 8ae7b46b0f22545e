// What the pages point at is there.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { coreErrors } from '../../core/errors.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = globSync('{README.md,docs/**/*.md,plugins/*/README.md}', { cwd: ROOT });

for (const page of PAGES) {
  const text = readFileSync(join(ROOT, page), 'utf8');

  test(`${page}: every path of the repository that it names exists`, () => {
    const named = [...text.matchAll(/`((?:core|plugins|test|bench|deploy|docs)\/[\w./-]+)`/g)].map(
      (match) => match[1] ?? '',
    );
    // Error codes of core look like paths; bench/results is there once something was measured.
    const isPath = (name: string) =>
      !(name.slice('core/'.length) in coreErrors.codes) && !name.startsWith('bench/results');
    assert.equal(
      named.filter((name) => isPath(name) && !existsSync(join(ROOT, name))),
      [],
    );
  });

  test(`${page}: every link leads somewhere`, () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map((match) => match[1] ?? '');
    assert.equal(
      links.filter((link) => !existsSync(join(ROOT, dirname(page), link))),
      [],
    );
  });
}

test.run();
