// Plugins of others: packages in node_modules with packages of their own, TypeScript and CommonJS, in every runtime.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { DENO } from '../fixtures/executable.ts';
import { run, WAYS } from '../fixtures/ways.ts';

const esm = (name: string, exports: string) => JSON.stringify({ name, type: 'module', exports });

/** A plugin whose option tells, as its default, what the package has found. */
const plugin = (name: string, found: string) =>
  `definePlugin({ name: '${name}', api: 1, options: v.strictObject({ found: v.optional(v.string(), ${found}) }), setup() {} })`;

const PACKAGES = {
  'node_modules/typed/package.json': esm('typed', './src/index.ts'),
  'node_modules/typed/src/index.ts': `import { definePlugin, type Plugin, v } from 'sltv';
    import { part } from './part.js';
    import { modern } from 'modern';
    import { named } from 'old';
    const found: string = [part, modern, named].join();
    export default ${plugin('typed', 'found')};`,
  'node_modules/typed/src/part.ts': `export const part: string = 'part';`,
  'node_modules/modern/package.json': esm('modern', './index.js'),
  'node_modules/modern/index.js': `import { readFileSync } from 'node:fs';
    export const modern = typeof readFileSync;`,
  'node_modules/old/package.json': '{ "name": "old", "main": "./lib" }',
  'node_modules/old/lib/index.js': `let code;
    try { require('not-there'); } catch (error) { code = error.code; }
    exports.named = require('./own').own + require('./data').word + code;`,
  'node_modules/old/lib/own/index.js': `exports.own = typeof require('sltv').definePlugin;`,
  'node_modules/old/lib/data.json': '{ "word": "data" }',
  'node_modules/older/package.json': '{ "name": "older", "main": "./index.js" }',
  'node_modules/older/index.js': `const { definePlugin, v } = require('sltv');
    const { named } = require('old');
    module.exports = ${plugin('older', 'named')};`,
};

function write(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, 'sltv.config.ts');
}

const config = (imports: string, plugins: string) =>
  `import { defineConfig } from 'sltv';\nimport dir from 'sltv/dir';\nimport localLock from 'sltv/local-lock';
${imports}\nexport default defineConfig({ plugins: [dir(), localLock(), ${plugins}] });`;

for (const [title, way] of Object.entries(WAYS)) {
  test(`${title} takes plugins from packages: TypeScript and CommonJS, each with packages of its own`, async () => {
    await using folder = await trustedFolder();
    const text = config(`import typed from 'typed';\nimport older from 'older';`, 'typed(), older()');
    const path = write(folder.path, { ...PACKAGES, 'sltv.config.ts': text });
    const { stdout, stderr, code } = await run(way, ['config', 'show', '--config', path, '--json']);
    assert.is(code, 0, stderr);
    assert.is(stderr, '', 'nothing is said of types that were left out');
    const { settings } = JSON.parse(stdout) as { settings: { path: string; value: unknown }[] };
    const found = (option: string) => settings.find((setting) => setting.path === option)?.value;
    const named = 'functiondataMODULE_NOT_FOUND';
    assert.is(found('typed.found'), `part,function,${named}`);
    assert.is(found('older.found'), named);
  });

  test(`${title} takes plugins from single files: .ts, .mjs and .js`, async () => {
    await using folder = await trustedFolder();
    const one = (name: string) =>
      `import { definePlugin, v } from 'sltv';\nexport default ${plugin(name, `'${name}'`)};`;
    const imports = ['a.ts', 'b.mjs', 'c.js'].map((name) => `import ${name[0]} from './${name}';`).join('\n');
    const files = { 'a.ts': `type A = 1;\n${one('a')}`, 'b.mjs': one('b'), 'c.js': one('c') };
    const path = write(folder.path, { ...files, 'sltv.config.ts': config(imports, 'a(), b(), c()') });
    const { stderr, code } = await run(way, ['config', 'check', '--config', path]);
    assert.is(code, 0, stderr);
  });

  for (const [name, files, message] of [
    [
      'typed.ts',
      { 'typed.ts': `type A = 1;\nthrow new Error('not today');` },
      'node_modules/bad/typed.ts:2: not today',
    ],
    [
      'syntax.ts',
      { 'syntax.ts': `\nconst a = ;` },
      way[0] === DENO
        ? 'node_modules/bad/syntax.ts: Syntax error'
        : 'node_modules/bad/syntax.ts:2: Expression expected',
    ],
    ['old.cjs', { 'old.cjs': `\nthrow new Error('not today');` }, 'node_modules/bad/old.cjs:2: not today'],
    [
      'lacks.js',
      { 'lacks.js': `import 'not-there';` },
      "node_modules/bad/lacks.js imports 'not-there', which is not there",
    ],
  ] as const) {
    test(`${title} names file, line and package where ${name} of a package fails`, async () => {
      await using folder = await trustedFolder();
      const parts = Object.entries(files).map(([part, text]) => [`node_modules/bad/${part}`, text]);
      const path = write(folder.path, {
        'sltv.config.ts': config(`import 'bad';`, ''),
        'node_modules/bad/package.json': esm('bad', `./${name}`),
        ...Object.fromEntries(parts),
      });
      const { stderr, code } = await run(way, ['config', 'check', '--config', path]);
      assert.is(code, 2, stderr);
      assert.match(stderr, `sltv: ${folder.path}/${message}`);
      assert.match(stderr, /hint: .*package bad/);
    });
  }

  test(`${title} reads no file of a package that others can write`, async () => {
    await using folder = await trustedFolder();
    const text = config(`import older from 'older';`, 'older()');
    const path = write(folder.path, { ...PACKAGES, 'sltv.config.ts': text });
    const part = join(folder.path, 'node_modules/old/lib/own/index.js');
    chmodSync(part, 0o666);
    const { stderr, code } = await run(way, ['config', 'check', '--config', path]);
    assert.is(code, 8, stderr);
    assert.match(stderr, `hint: chmod go-w ${part}`);
  });
}

test.run();
