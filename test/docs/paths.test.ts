// What the pages point at is there.
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { coreErrors } from '../../core/errors.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = globSync(
  '{README.md,docs/**/*.md,plugins/*/README.md,deploy/*/README.md,examples/*/README.md,test/testbed/README.md}',
  { cwd: ROOT },
);

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

  test(`${page}: every link leads to a file, and to a heading that is in it`, () => {
    const links = [...prose(text).matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)].map((match) => match[1] ?? '');
    assert.equal(
      links.filter((link) => !leadsSomewhere(page, link)),
      [],
    );
  });
}

test('links to files and headings that are not there are found', () => {
  assert.is(leadsSomewhere('README.md', 'docs/cli.md#output'), true);
  assert.is(leadsSomewhere('docs/cli.md', '#output'), true);
  assert.is(leadsSomewhere('README.md', 'docs/decisions'), true);
  assert.is(leadsSomewhere('README.md', 'docs/nothing.md'), false);
  assert.is(leadsSomewhere('README.md', 'docs/cli.md#nothing'), false);
  assert.is(leadsSomewhere('README.md', 'docs/decisions#nothing'), false);
});

test('a heading is found by the words that a page on the web gives it', () => {
  assert.equal(
    anchorsOf('# A `disk`, extended\n\n## Why?\n\n    # no heading\n\n```sh\n# none either\n```\n## Why?\n'),
    ['a-disk-extended', 'why', 'why-1'],
  );
});

test.run();

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path);
  if (!existsSync(file)) return false;
  return anchor === undefined || (statSync(file).isFile() && anchorsOf(readFileSync(file, 'utf8')).includes(anchor));
}

/** What a link may name behind `#`, as GitHub makes it of headings; a second one of the same words is counted. */
function anchorsOf(text: string): readonly string[] {
  const slugs = [...prose(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, words = '']) =>
    words
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
  return slugs.map((slug, at) => {
    const before = slugs.slice(0, at).filter((other) => other === slug).length;
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

/** A page without its blocks. */
function prose(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '').replace(/^ {4}.*$/gm, '');
}
