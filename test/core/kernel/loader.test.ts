import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
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

const esm = (name: string, exports: string) => JSON.stringify({ name, type: 'module', exports });

test('a package may be TypeScript, its parts named with their extension, with the one that they would have, or with none', async () => {
  const files = {
    'c.ts': `import { sum } from '@me/typed';\nimport { part } from '@me/typed/part';\nexport default { sum, part };`,
    'node_modules/@me/typed/package.json': JSON.stringify({
      name: '@me/typed',
      type: 'module',
      exports: { '.': './src/index.ts', './part': './src/part.mts' },
    }),
    'node_modules/@me/typed/src/index.ts': `import { answer } from 'sltv';
      import { a } from './a.ts';
      import { b } from './b.js';
      import { d } from './d';
      export const sum: number = answer + a + b + d;`,
    'node_modules/@me/typed/src/a.ts': 'export const a: number = 1;',
    'node_modules/@me/typed/src/b.ts': 'export const b = 1 satisfies number;',
    'node_modules/@me/typed/src/d.ts': 'export const d = 1 as number;',
    'node_modules/@me/typed/src/part.mts': 'export const part: string = "part";',
  };
  assert.equal(await load(files), { sum: 45, part: 'part' });
});

test('a package has packages of its own, ES modules and CommonJS with all that it can', async () => {
  const files = {
    'c.ts': `import { found } from 'mine';\nexport default found;`,
    'node_modules/mine/package.json': esm('mine', './index.ts'),
    'node_modules/mine/index.ts': `import { modern } from 'modern';
      import { named } from 'old';
      import whole from 'old';
      export const found = { modern, named, own: whole.own as number, later: (await import('./later.js')).later };`,
    'node_modules/mine/later.js': `export const later = 'later';`,
    'node_modules/modern/package.json': esm('modern', './index.js'),
    'node_modules/modern/index.js': `import { readFileSync } from 'node:fs';\nimport '#inside';\nexport const modern = typeof readFileSync;`,
    'node_modules/modern/inside.js': '',
    'node_modules/old/package.json': JSON.stringify({ name: 'old', main: './lib' }),
    'node_modules/old/lib/index.js': `const { own } = require('./own');
      let missing;
      try { require('not-there'); } catch (error) { missing = error.code; }
      try { require('./not-there'); } catch (error) { missing += error.code; }
      exports.named = require('./data').word + missing + require('../index.js').length + typeof require('path').join;
      exports.own = own;`,
    'node_modules/old/lib/own/index.js': `exports.own = require('sltv').answer;`,
    'node_modules/old/lib/data.json': '{ "word": "data" }',
    'node_modules/old/index.js': 'module.exports = [1, 2];',
  };
  const inside = { ...JSON.parse(files['node_modules/modern/package.json']), imports: { '#inside': './inside.js' } };
  const found = await load({ ...files, 'node_modules/modern/package.json': JSON.stringify(inside) });
  const named = 'dataMODULE_NOT_FOUNDMODULE_NOT_FOUND2function';
  assert.equal(found, { modern: 'function', named, own: 42, later: 'later' });
});

test('a package that is a link to somewhere else is a package, CommonJS or not', async () => {
  await using elsewhere = await trustedFolder();
  await using folder = await trustedFolder();
  writeFileSync(join(elsewhere.path, 'package.json'), '{ "name": "linked" }');
  writeFileSync(join(elsewhere.path, 'index.js'), `module.exports = require('sltv').answer;`);
  mkdirSync(join(folder.path, 'node_modules'));
  symlinkSync(elsewhere.path, join(folder.path, 'node_modules/linked'));
  const path = join(folder.path, 'c.ts');
  writeFileSync(path, `import linked from 'linked';\nexport default { linked };`);
  assert.equal((await loadConfig({ path, env: {}, builtins })).config, { linked: 42 });
});

for (const [title, files, message, hint = 'that is in the package bad: take another version'] of [
  ['throws', { 'index.js': `\n\nthrow new Error('not today');` }, 'bad/index.js:3: not today'],
  ['throws in a part', { 'index.js': `import './part.js';`, 'part.js': `\nnothere();` }, 'bad/part.js:2: nothere is'],
  ['is TypeScript that throws', { 'index.ts': `interface A { a: 1 }\nthrow new Error('no');` }, 'bad/index.ts:2: no'],
  ['has an enum', { 'index.ts': `\nenum A { B }` }, 'bad/index.ts:2: TypeScript enum', 'write a union of strings'],
  ['is bad TypeScript', { 'index.ts': `\nconst a = ;` }, 'bad/index.ts:2: Expression expected'],
  ['is bad JavaScript', { 'index.js': `\nconst a = ;` }, "bad/index.js:2: Unexpected token ';'"],
  ['is CommonJS that throws', { 'index.cjs': `\nthrow new Error('old');` }, 'bad/index.cjs:2: old'],
  ['is bad CommonJS', { 'index.cjs': `\n\nconst a = ;` }, "bad/index.cjs:3: Unexpected token ';'"],
  [
    'lacks a package',
    { 'index.js': `import 'not-there';` },
    "bad/index.js imports 'not-there', which is not there",
    'it is the package bad that needs it',
  ],
  [
    'lacks a package, in CommonJS, after one that it can do without',
    { 'index.cjs': `try { require('whatever'); } catch {}\nrequire('not-there');` },
    "bad/index.cjs imports 'not-there', which is not there",
    'it is the package bad that needs it',
  ],
  [
    'fails for another reason than the package that it can do without',
    { 'index.cjs': `try { require('whatever'); } catch {}\nthrow new Error('today');` },
    'bad/index.cjs:2: today',
  ],
  [
    'wants what sltv does not have',
    { 'index.js': `import 'sltv/lvn';` },
    "bad/index.js imports 'sltv/lvn', which this sltv does not have",
    "did you mean 'sltv/lvm'?",
  ],
] as const) {
  test(`a package that ${title} is refused with its place and its name`, async () => {
    const [entry = ''] = Object.keys(files);
    const parts = Object.entries(files).map(([name, text]) => [`node_modules/bad/${name}`, text]);
    const error = await failure({
      'c.ts': `import 'bad';\nexport default {};`,
      'node_modules/bad/package.json': esm('bad', `./${entry}`),
      ...Object.fromEntries(parts),
    });
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
    assert.is(error.code, 'core/config');
  });
}

for (const specifier of ['https://example.org/plugin.js', 'npm:plugin', 'jsr:@me/plugin']) {
  test(`${specifier} is refused: a config is made of files`, async () => {
    const error = await failure({ 'c.ts': `import '${specifier}';\nexport default {};` });
    assert.match(error.message, `c.ts imports '${specifier}', and a config is made of files alone`);
  });
}

for (const [title, entry, part] of [
  ['a part', `import './part.js';`, 'part.js'],
  ['a TypeScript part', `import './part.ts';`, 'part.ts'],
  ['what CommonJS requires', `import './old.cjs';`, 'part.cjs'],
  ['data that CommonJS requires', `import './older.cjs';`, 'part.json'],
] as const) {
  test(`${title} of a package is refused when others can write it`, async () => {
    await using folder = await trustedFolder();
    const path = join(folder.path, 'c.ts');
    const within = join(folder.path, 'node_modules/p');
    mkdirSync(within, { recursive: true });
    writeFileSync(path, `import 'p';\nexport default {};`);
    const files = {
      'package.json': esm('p', './index.js'),
      'index.js': entry,
      'old.cjs': `require('./part.cjs');`,
      'older.cjs': `require('./part');`,
      [part]: part.endsWith('.json') ? '{}' : '',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(within, name), text);
    assert.equal((await loadConfig({ path, env: {}, builtins })).config, {}, 'as long as nobody can');
    await using copy = await trustedFolder();
    cpSync(folder.path, copy.path, { recursive: true });
    chmodSync(join(copy.path, 'node_modules/p', part), 0o666);
    const loading = loadConfig({ path: join(copy.path, 'c.ts'), env: {}, builtins });
    const error = await loading.catch((thrown: unknown) => thrown);
    assert.is((error as SltvError).code, 'core/config-untrusted', String(error));
    assert.is((error as SltvError).hint, `chmod go-w ${copy.path}/node_modules/p/${part}`);
  });
}

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
