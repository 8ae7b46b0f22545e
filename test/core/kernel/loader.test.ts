import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SltvError } from '../../../core/errors.ts';
import type { Builtins } from '../../../core/kernel/builtins.ts';
import { type LoadOptions, loadConfig } from '../../../core/kernel/loader.ts';
import { trustedFolder } from './kit.ts';

const builtins: Builtins = {
  version: '0.0.0',
  modules: {
    sltv: async () => ({ answer: 42, defineConfig: (config: unknown) => config }),
    'sltv/lvm': async () => ({ default: (given: unknown) => ({ lvm: given }) }),
  },
  defaultConfig: async () => ({ plugins: ['built in'] }),
  own: async () => [],
};

/** Writes files below a folder that is trusted, and loads the first. */
async function load(files: Readonly<Record<string, string>>, more: Partial<LoadOptions> = {}): Promise<unknown> {
  await using folder = await trustedFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, name)), { recursive: true });
    writeFileSync(join(folder.path, name), text.replaceAll('HERE', folder.path));
  }
  const path = join(folder.path, Object.keys(files)[0] ?? '');
  return (await loadConfig({ path, env: {}, builtins, ...more })).config;
}

async function failure(files: Readonly<Record<string, string>>): Promise<SltvError> {
  const error = await load(files).then(
    () => new Error('it was loaded'),
    (thrown: unknown) => thrown,
  );
  assert.instance(error, SltvError);
  return error as SltvError;
}

for (const extension of ['ts', 'mjs', 'js', 'mts']) {
  test(`a .${extension} config gets the executable's own sltv and plugins`, async () => {
    const text = `import { answer, defineConfig } from 'sltv';\nimport lvm from 'sltv/lvm';\nexport default defineConfig({ answer, plugins: [lvm(1)] });`;
    assert.equal(await load({ [`c.${extension}`]: text }), { answer: 42, plugins: [{ lvm: 1 }] });
  });
}

test('types are left out', async () => {
  const text = `interface A { a: number }\nimport type { Config } from 'sltv';\nconst a: A = { a: 1 } satisfies A;\nexport default a as unknown as Config;`;
  assert.equal(await load({ 'c.ts': text }), { a: 1 });
});

test('local files are imported, with their extension or without', async () => {
  const files = {
    'c.ts': `import { a } from './parts/a.ts';\nimport { b } from './parts/b';\nexport default { a, b };`,
    'parts/a.ts': `import { answer } from 'sltv';\nexport const a: number = answer;`,
    'parts/b.mjs': `export const b = 'b';`,
  };
  assert.equal(await load(files), { a: 42, b: 'b' });
});

test('a package beside the config is imported like any, and gets the same sltv', async () => {
  const files = {
    'c.ts': `import { mine } from 'my-plugin';\nimport old from 'old-plugin';\nexport default { mine, old };`,
    'node_modules/my-plugin/package.json': `{ "name": "my-plugin", "type": "module", "exports": "./index.js" }`,
    'node_modules/my-plugin/index.js': `import { answer } from 'sltv';\nimport { part } from './part.js';\nexport const mine = answer + part;`,
    'node_modules/my-plugin/part.js': `export const part = 1;`,
    'node_modules/old-plugin/package.json': `{ "name": "old-plugin", "main": "./index.cjs" }`,
    'node_modules/old-plugin/index.cjs': `module.exports = require('sltv').answer;`,
  };
  assert.equal(await load(files), { mine: 43, old: 42 });
});

for (const [title, files, message, hint] of [
  [
    'bad TypeScript',
    { 'c.ts': `import { answer } from 'sltv';\nconst a = ;\nexport default { a };` },
    'c.ts:2: Expression expected',
  ],
  [
    'an enum',
    { 'c.ts': `\n\nenum A { B }\nexport default { a: A.B };` },
    'c.ts:3: TypeScript enum is not supported in strip-only mode',
    'write a union of strings for an enum',
  ],
  [
    'bad JavaScript',
    { 'c.mjs': `import { answer } from 'sltv';\n\nconst a = ;\nexport default { a };` },
    "c.mjs:3: Unexpected token ';'",
  ],
  [
    'what throws',
    { 'c.ts': `interface A { a: 1 }\n\nexport default { a: nothere(1) };` },
    'c.ts:3: nothere is not defined',
  ],
  [
    'what throws in a part',
    { 'c.ts': `import './parts/a.ts';\nexport default {};`, 'parts/a.ts': `\nthrow new Error('not today');` },
    'a.ts:2: not today',
  ],
  ['bad syntax in a part', { 'c.ts': `import './a.ts';\nexport default {};`, 'a.ts': `const a: = 1;` }, 'a.ts:1: '],
  [
    'no default export',
    { 'c.ts': `export const config = {};` },
    'c.ts: it has no default export',
    'export default defineConfig(',
  ],
  [
    'a default export that is a function',
    { 'c.ts': `export default () => ({});` },
    'c.ts: its default export is a function, not a config',
  ],
  [
    'a default export that is a list',
    { 'c.ts': `export default [];` },
    'c.ts: its default export is a list, not a config',
  ],
  [
    'a plugin that is not built in',
    { 'c.ts': `import x from 'sltv/lvn';\nexport default { x };` },
    "c.ts imports 'sltv/lvn', which this sltv does not have",
    "did you mean 'sltv/lvm'?",
  ],
  [
    'a name that sltv does not export',
    { 'c.ts': `import { anwser } from 'sltv';\nexport default { anwser };` },
    "c.ts:1: The requested module 'sltv' does not provide an export named 'anwser'",
  ],
  [
    'a part that is not there',
    { 'c.ts': `import './nothere.ts';\nexport default {};` },
    "c.ts imports './nothere.ts', which is not there",
  ],
  [
    'a package that is not there',
    { 'c.ts': `import 'nothere';\nexport default {};` },
    "c.ts imports 'nothere', which is not there",
    'npm install nothere',
  ],
] as const) {
  test(`a config with ${title} is refused with its place`, async () => {
    const error = await failure(files);
    assert.match(error.message, message);
    if (hint !== undefined) assert.match(error.hint ?? '', hint);
    assert.is(error.code, 'core/config');
  });
}

test('a part that others can write is refused, though the config is safe', async () => {
  await using folder = await trustedFolder();
  const path = join(folder.path, 'c.ts');
  const part = join(folder.path, 'part.ts');
  writeFileSync(path, `import './part.ts';\nexport default {};`);
  writeFileSync(part, '');
  chmodSync(part, 0o666);
  const error = await loadConfig({ path, env: {}, builtins }).catch((thrown: unknown) => thrown);
  assert.is((error as SltvError).code, 'core/config-untrusted');
  assert.is((error as SltvError).hint, `chmod go-w ${part}`);
});

test('a package that others can write is refused', async () => {
  await using folder = await trustedFolder();
  const path = join(folder.path, 'c.ts');
  const part = join(folder.path, 'node_modules/p/index.mjs');
  mkdirSync(dirname(part), { recursive: true });
  writeFileSync(path, `import 'p';\nexport default {};`);
  writeFileSync(join(dirname(part), 'package.json'), '{ "name": "p", "exports": "./index.mjs" }');
  writeFileSync(part, '');
  chmodSync(part, 0o666);
  const error = await loadConfig({ path, env: {}, builtins }).catch((thrown: unknown) => thrown);
  assert.is((error as SltvError).code, 'core/config-untrusted');
});

test('--config goes before SLTV_CONFIG, and that before /etc/sltv, where .ts goes before .mjs and .js', async () => {
  await using folder = await trustedFolder();
  const at = (name: string) => {
    const path = join(folder.path, name);
    writeFileSync(path, `export default { from: '${name}' };`);
    return path;
  };
  const found = async (more: Partial<LoadOptions>) =>
    (await loadConfig({ env: {}, builtins, folder: folder.path, ...more })).config;

  assert.equal(await found({}), { plugins: ['built in'] });
  at('sltv.config.js');
  assert.equal(await found({}), { from: 'sltv.config.js' });
  at('sltv.config.mjs');
  assert.equal(await found({}), { from: 'sltv.config.mjs' });
  at('sltv.config.ts');
  assert.equal(await found({}), { from: 'sltv.config.ts' });
  const env = { SLTV_CONFIG: at('variable.ts') };
  assert.equal(await found({ env }), { from: 'variable.ts' });
  assert.equal(await found({ env, path: at('option.ts') }), { from: 'option.ts' });
  assert.equal(await found({ env, path: at('option.ts'), isDefault: true }), { plugins: ['built in'] });
});

test('a path that was given and is not there is an error, never the built-in config', async () => {
  const error = await loadConfig({ path: '/nowhere/c.ts', env: {}, builtins }).catch((thrown: unknown) => thrown);
  assert.is((error as SltvError).code, 'core/config-missing');
});

test.run();
