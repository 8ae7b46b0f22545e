// What a page shows to be typed: a `sh` block is typed by a test, and what no test can type is called `console`.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { blocksOf, hasShape, statusOf } from '../fixtures/pages.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = globSync('{README.md,docs/**/*.md,plugins/*/README.md,examples/*/README.md}', { cwd: ROOT });
const PLACES = ['in the guest'];

/** Who types the blocks of a page: all of them in their order, or by the name that stands behind `sh`. */
const TYPED: Readonly<Record<string, { readonly by: string; readonly names?: true }>> = {
  'docs/quick-start.md': { by: 'test/long/quick-start.test.ts' },
  'docs/thin-provisioning.md': { by: 'test/long/quick-start.test.ts' },
  'docs/monitoring.md': { by: 'test/long/systemd.test.ts' },
  'docs/security.md': { by: 'test/integration/tls.test.ts', names: true },
};

for (const page of PAGES) {
  const typed = blocksOf(page).filter(({ language }) => language === 'sh');
  if (typed.length === 0) continue;

  test(`${page}: a test types each of its sh blocks`, () => {
    const { by = '', names } = TYPED[page] ?? {};
    assert.is.not(by, '', `no test types ${page}: call its blocks console, or have one do it`);
    const text = readFileSync(join(ROOT, by), 'utf8');
    assert.ok(text.includes(page), `${by} reads the page`);
    const untyped = typed.filter(({ words }) => (names ? !text.includes(`'${words}'`) : !isPlace(words)));
    assert.equal(
      untyped.map(({ words }) => words),
      [],
    );
  });
}

/** Whether somebody who types all blocks of a page knows where this one is typed. */
const isPlace = (words: string) => words === '' || PLACES.includes(words);

test('a block between fences says in which language it is', () => {
  const mute = PAGES.filter((page) => {
    const fences = readFileSync(join(ROOT, page), 'utf8').match(/^```.*$/gm) ?? [];
    return fences.some((fence, at) => (at % 2 === 0) !== fence.length > 3);
  });
  assert.equal(mute, []);
});

test('what is said has the shape that is shown, whatever the numbers', () => {
  const shown = 'NAME  SIZE\nweb01  1.5 GiB\n…\nid: 6d50527d-f47e-48f3-a99f-d738dd7fc78d  in 2 s\n';
  const said =
    'NAME     SIZE\nweb01  12 GiB (12884901888 bytes)\nmore\nid: 00000000-f47e-48f3-a99f-d738dd7fc78d  in 15.5 ms';
  assert.is(hasShape(said, shown), true);
  assert.is(hasShape(said.replace('more\n', ''), shown), true);
  assert.is(hasShape(said.replace('NAME', 'WHO'), shown), false);
  assert.is(hasShape(said.replace('12 GiB (12884901888 bytes)', '-'), shown), false);
  assert.is(hasShape(`${said}\nand more`, shown), false);
});

test('what is shown says with which status it ends', () => {
  assert.is(statusOf('hint: sltv pool extend vg0 /dev/…      [lvm/no-space]\n'), 7);
  assert.is(statusOf('all is well\n'), 0);
  assert.throws(() => statusOf('[lvm/nothing]'), /has no lvm\/nothing/);
});

test.run();
