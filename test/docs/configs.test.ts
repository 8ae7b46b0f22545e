// Every config that a page shows can be used as it stands.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import disks from '../../core/disks/index.ts';
import { settle } from '../../core/kernel/settle.ts';

const ROOT = join(import.meta.dirname, '../..');
// Within the project, so that `sltv` is found as a config finds it.
const FOLDER = join(ROOT, '.cache', `shown-configs-${process.pid}`);

test.before(() => {
  mkdirSync(FOLDER, { recursive: true });
});
test.after(() => rmSync(FOLDER, { recursive: true, force: true }));

// A test of its own types what docs/writing-a-plugin.md shows, with the files that its configs import.
const pages = globSync('{README.md,docs/**/*.md,plugins/*/README.md}', { cwd: ROOT }).filter(
  (page) => page !== 'docs/writing-a-plugin.md',
);
const shown = pages.flatMap((page) =>
  [
    ...readFileSync(join(ROOT, page), 'utf8').matchAll(
      /(?:^(?: {4}.*)?\n)*?^ {4}export default defineConfig\([\s\S]*?^ {4}\}\);$/gm,
    ),
  ].map(([block]) => ({ page, text: block.replace(/^ {4}/gm, '') })),
);

test('the pages show configs', () => {
  assert.ok(shown.length >= 2);
});

for (const [index, { page, text }] of shown.entries()) {
  test(`${page}: the config that it shows holds`, async () => {
    const file = join(FOLDER, `${index}.ts`);
    writeFileSync(file, text);
    const { default: config }: { default: unknown } = await import(file);
    const result = await settle({ config, isFile: true, env: {}, known: new Map(), own: async () => [disks()] });
    assert.equal('problems' in result ? result.problems : [], []);
  });
}

for (const example of globSync('examples/**/sltv.config.ts', { cwd: ROOT })) {
  test(`${example} holds`, async () => {
    const { default: config }: { default: unknown } = await import(join(ROOT, example));
    const result = await settle({ config, isFile: true, env: {}, known: new Map(), own: async () => [disks()] });
    assert.equal('problems' in result ? result.problems : [], []);
  });
}

test.run();
