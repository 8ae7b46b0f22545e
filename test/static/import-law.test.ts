import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { breach, importsOf } from './import-law.ts';

const ROOT = join(import.meta.dirname, '../..');
const SOURCES = globSync('{core,plugins}/**/*.ts', { cwd: ROOT });

/** What a file at `from` that says `text` breaks. */
const breaches = (from: string, text: string) => importsOf(from, text).map(breach);

test('every import keeps the law', () => {
  const imports = SOURCES.flatMap((file) => importsOf(file, readFileSync(join(ROOT, file), 'utf8')));
  assert.ok(imports.length > 30, 'the imports were found');
  const broken = imports.flatMap((each) => (breach(each) ? [`${each.from} imports ${each.to}: ${breach(each)}`] : []));
  assert.equal(broken, []);
});

test('only core/run starts processes', () => {
  const starts = SOURCES.flatMap((file) => importsOf(file, readFileSync(join(ROOT, file), 'utf8')))
    .filter(({ to }) => to === 'execa' || /^(node:)?child_process$/.test(to))
    .map(({ from }) => from);
  assert.equal(
    [...new Set(starts)].filter((file) => !file.startsWith('core/run/')),
    [],
  );
  assert.ok(starts.length > 0, 'those that do were found');
});

test('an example imports of ours what a plugin in another repository may', () => {
  const files = globSync('examples/plugin-*/**/*.ts', { cwd: ROOT });
  assert.ok(files.length > 5, 'the examples were found');
  const strange = files
    .flatMap((file) => importsOf(file, readFileSync(join(ROOT, file), 'utf8')))
    .filter(({ to }) => !/^(\.\/|node:|sltv$|sltv\/[a-z-]+$)/.test(to));
  assert.equal(strange, []);
});

for (const [from, line] of [
  ['plugins/bad/index.ts', `import { SltvError } from '../../core/errors.ts';`],
  ['plugins/bad/index.ts', `import type { Lvm } from '../lvm/index.ts';`],
  ['plugins/bad/index.ts', `import { createClient } from 'sltv/client';`],
  ['plugins/bad/deep/part.ts', `const { errors } = await import('../../../core/errors.ts');`],
  ['core/kernel/boot.ts', `import type { Storage } from '../capabilities/storage.ts';`],
  ['core/kernel/boot.ts', `export { Storage } from '../capabilities/storage.ts';`],
  ['core/errors.ts', `import { verb } from './kernel/verb.ts';`],
  ['core/capabilities/disks.ts', `import { createDisk } from '../disks/create.ts';`],
  ['core/capabilities/disks.ts', `import { boot } from '../kernel/boot.ts';`],
  ['core/disks/create.ts', `import { serve } from '../api/server.ts';`],
  ['core/disks/create.ts', `import {\n  lvm,\n} from '../../plugins/lvm/index.ts';`],
  ['core/api/server.ts', `import { errors } from '../index.ts';`],
  ['core/api/server.ts', `import { startDaemon } from '../daemon.ts';`],
  ['core/api/server.ts', `import { errors } from 'sltv';`],
  ['core/cli/disk.ts', `import { createDisk } from '../disks/create.ts';`],
  ['core/cli/disk.ts', `import '../../test/run.mjs';`],
  ['core/client/index.ts', `import { boot } from '../kernel/boot.ts';`],
  ['core/elsewhere/new.ts', `import { errors } from '../errors.ts';`],
] as const) {
  test(`the law forbids in ${from}: ${line.replaceAll(/\s+/g, ' ')}`, () => {
    const found = breaches(from, line);
    assert.is(found.length, 1);
    assert.type(found[0], 'string');
  });
}

for (const [from, line] of [
  ['plugins/good/index.ts', `import { definePlugin, v } from 'sltv';`],
  ['plugins/good/index.ts', `import type { LvmPool } from 'sltv/lvm';`],
  ['plugins/good/index.ts', `import { XMLParser } from 'fast-xml-parser';`],
  ['plugins/good/deep/part.ts', `import { fail } from '../errors.ts';`],
  ['plugins/builtin.ts', `export const lvm = () => import('./lvm/index.ts');`],
  ['core/disks/create.ts', `import type { Pool } from '../capabilities/storage.ts';`],
  ['core/cli/disk.ts', `import type { Client } from '../client/index.ts';`],
  ['core/daemon.ts', `import { serve } from './api/server.ts';`],
  ['core/index.ts', `export * as v from 'valibot';`],
] as const) {
  test(`the law allows in ${from}: ${line}`, () => {
    assert.equal(breaches(from, line), [undefined]);
  });
}

test('an import that is only spoken of in a comment is none', () => {
  const text = `// import { a } from '../index.ts';\n/*\n import { b } from '../index.ts';\n*/\nconst c = 1;`;
  assert.equal(importsOf('core/kernel/boot.ts', text), []);
});

test.run();
