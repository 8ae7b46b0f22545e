// What `npm pack` makes of dist/package, installed without a network into an empty folder.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { COMPILERS, complaints } from '../fixtures/compilers.ts';
import { ownDaemon } from '../fixtures/executable.ts';
import { run } from '../fixtures/ways.ts';

const ROOT = join(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

let installed: AsyncDisposable & { readonly path: string };
test.before(async () => {
  installed = await trustedFolder();
  const { path } = installed;
  const npm = async (...words: readonly string[]) => {
    const env = { HOME: path, npm_config_cache: join(path, '.npm') };
    const { code, stdout, stderr } = await run(['npm'], [...words, '--prefix', path], env);
    assert.is(code, 0, `npm ${words.join(' ')}: ${stdout}${stderr}`);
  };
  writeFileSync(join(path, 'package.json'), '{ "name": "mine", "type": "module" }');
  await npm('pack', join(ROOT, 'dist/package'), '--pack-destination', path);
  await npm('install', '--offline', '--no-audit', '--no-fund', join(path, `sltv-${manifest.version}.tgz`));
});
test.after(async () => {
  await installed[Symbol.asyncDispose]();
});

/** Runs a module in the folder. */
async function node(text: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const file = join(installed.path, 'script.mjs');
  writeFileSync(file, text);
  const { code, stdout, stderr } = await run([process.execPath], [file], env);
  assert.equal([stderr, code], ['', 0]);
  return stdout;
}

test('it brings nothing else along', () => {
  const lock = JSON.parse(readFileSync(join(installed.path, 'package-lock.json'), 'utf8'));
  assert.equal(Object.keys(lock.packages), ['', 'node_modules/sltv']);
  const { engines } = JSON.parse(readFileSync(join(installed.path, 'node_modules/sltv/package.json'), 'utf8'));
  assert.equal(engines, { node: '>=24' });
});

test('it has the command, which has what init writes', async () => {
  const sltv = [join(installed.path, 'node_modules/.bin/sltv')];
  assert.is((await run(sltv, ['--version'])).stdout, `sltv ${manifest.version}\n`);
  await using folder = await trustedFolder();
  const { code, stderr } = await run(sltv, ['init', folder.path]);
  assert.is(code, 0, stderr);
  assert.ok(existsSync(join(folder.path, '.types/sltv.d.ts')));
});

test('sltv/client talks to a daemon', async () => {
  await using folder = await trustedFolder();
  await using daemon = await ownDaemon(join(folder.path, 'd'), `dir({ pools: { p: '${folder.path}' } }), localLock()`);
  const out = await node(
    `import { connect } from 'sltv/client';
     const { sltv, plugins } = connect({ addr: process.env.SLTV_ADDR });
     const { name, sizeBytes } = await sltv.createDisk({ name: 'db', sizeBytes: String(2 ** 20) });
     const missing = await sltv.getDisk({ name: 'nothere' }).catch(({ kind, code }) => ({ kind, code }));
     console.log(JSON.stringify([name, sizeBytes, missing, (await plugins.list()).length > 2]));`,
    daemon.env,
  );
  const missing = { kind: 'not-found', code: 'core/disk-missing' };
  assert.equal(JSON.parse(out), ['db', String(2 ** 20), missing, true]);
});

test("sltv defines plugins, and sltv/testing holds a provider to its capability's suite", async () => {
  const out = await node(
    `import { definePlugin, Locks, v } from 'sltv';
     import { locksConformance } from 'sltv/testing';
     import lvm from 'sltv/lvm';
     const mine = definePlugin({ name: 'mine', api: 1, options: v.strictObject({ a: v.number() }), provides: { locks: Locks }, setup() {} });
     const cases = locksConformance({ name: 'mine', make: async () => { throw new Error('no'); } });
     const [failure] = await Promise.allSettled([cases[0].run()]);
     console.log(JSON.stringify([mine({ a: 1 }).name, lvm().name, cases.length > 3, failure.status]));`,
  );
  assert.equal(JSON.parse(out), ['mine', 'lvm', true, 'rejected']);
});

const USES = `import { defineConfig, definePlugin, v } from 'sltv';
import { connect } from 'sltv/client';
import lvm from 'sltv/lvm';
import { type Case, storageConformance } from 'sltv/testing';
export const mine = definePlugin({ name: 'mine', api: 1, options: v.strictObject({ a: v.number() }), setup() {} });
export default defineConfig({ plugins: [lvm({ vgs: ['a'] }), mine({ a: 1 })] });
export const names = async (): Promise<string[]> =>
  (await connect().sltv.listDisks({})).disks.map(({ name }) => name);
export const cases = (subject: Parameters<typeof storageConformance>[0]): readonly Case[] => storageConformance(subject);
`;

const MISUSES = `import { connect } from 'sltv/client';
import { mine } from './uses.ts';
mine({ b: 1 });
void connect().sltv.getDisk({ nmae: 'x' });
`;

for (const [title, module, moduleResolution] of [
  ['TypeScript 5.9', 'nodenext', 'nodenext'],
  ['TypeScript 7', 'nodenext', 'nodenext'],
  ['TypeScript 7', 'esnext', 'bundler'],
] as const) {
  test(`${title} finds its types by ${moduleResolution}, and they are whole`, () => {
    const { path } = installed;
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2024', lib: ['es2024', 'dom', 'esnext.disposable'], types: [] },
      ...{ strict: true, exactOptionalPropertyTypes: true, allowImportingTsExtensions: true, noEmit: true },
      skipLibCheck: false,
    };
    writeFileSync(join(path, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['misuses.ts'] }));
    writeFileSync(join(path, 'uses.ts'), USES);
    writeFileSync(join(path, 'misuses.ts'), MISUSES);
    assert.equal(
      complaints(COMPILERS[title], path).map(({ file, message }) => [file, /'\w+' does not exist/.exec(message)?.[0]]),
      [
        ['misuses.ts', "'b' does not exist"],
        ['misuses.ts', "'nmae' does not exist"],
      ],
    );
  });
}

test.run();
