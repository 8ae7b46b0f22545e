import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { BUNDLE, DENO, EXECUTABLE } from '../fixtures/executable.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const MEGABYTE = 1e6;

/** Every way in which the bundle is run, as the words before `config`. */
const WAYS = {
  'the executable': [EXECUTABLE],
  'dist/sltv.mjs under Node': [process.execPath, BUNDLE],
  'dist/sltv.mjs under Deno': [DENO, 'run', '--allow-all', BUNDLE],
};

function run(
  [program = '', ...before]: readonly string[],
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): SpawnSyncReturns<string> {
  return spawnSync(program, [...before, ...words], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { PATH: process.env.PATH, ...env },
  });
}

test('the executable is at most 130 MB', () => {
  assert.ok(statSync(EXECUTABLE).size <= 130 * MEGABYTE);
});

for (const [title, way] of Object.entries(WAYS)) {
  test(`${title} says its version, in both spellings`, () => {
    assert.is(run(way, ['--version']).stdout, `sltv ${version}\n`);
    assert.is(run(way, ['version']).stdout, `sltv ${version}\n`);
  });

  test(`${title} has a config of its own that is in order`, () => {
    const { stdout, stderr, status } = run(way, ['config', 'show', '--default', '--json']);
    assert.is(status, 0, stderr);
    const { settings } = JSON.parse(stdout) as { settings: { path: string; value: unknown; from: string }[] };
    assert.equal(
      settings.find(({ path }) => path === 'lvm.vgs[0]'),
      { path: 'lvm.vgs[0]', value: 'vg-sltv', from: 'default' },
    );
    assert.equal(settings.find(({ path }) => path === 'libvirt.uri')?.value, 'qemu:///system');
  });

  test(`${title} runs a TypeScript config with parts and packages, all with its own sltv`, async () => {
    await using folder = await trustedFolder();
    const files = {
      'sltv.config.ts': `import { defineConfig } from 'sltv';
        import dir from 'sltv/dir';
        import localLock from 'sltv/local-lock';
        import hello from 'hello';
        import old from 'old';
        import { pool } from './pool';
        export default defineConfig({ plugins: [dir({ pools: { [pool]: '/srv/disks' } }), localLock(), hello({ loud: true }), old()] });`,
      'pool.ts': `export const pool: string = 'mine';`,
      'node_modules/hello/package.json': `{ "name": "hello", "type": "module", "exports": "./index.js" }`,
      'node_modules/hello/index.js': `import { definePlugin, v } from 'sltv';
        export default definePlugin({ name: 'hello', api: 1, options: v.strictObject({ loud: v.boolean() }), setup() {} });`,
      'node_modules/old/package.json': `{ "name": "old", "main": "./index.js" }`,
      'node_modules/old/index.js': `const { definePlugin } = require('sltv'); module.exports = definePlugin({ name: 'old', api: 1, setup() {} });`,
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder.path, name)), { recursive: true });
      writeFileSync(join(folder.path, name), text);
    }
    const words = ['config', 'show', '--config', join(folder.path, 'sltv.config.ts'), '--json'];
    const { stdout, stderr, status } = run(way, words, { SLTV_NODE_ID: 'n7' });
    assert.is(status, 0, stderr);
    const { settings } = JSON.parse(stdout) as { settings: { path: string; value: unknown; from: string }[] };
    const found = (path: string) => settings.find((setting) => setting.path === path);
    assert.equal(found('dir.pools.mine'), { path: 'dir.pools.mine', value: '/srv/disks', from: 'file' });
    assert.equal(found('hello.loud'), { path: 'hello.loud', value: true, from: 'file' });
    assert.equal(found('nodeId'), { path: 'nodeId', value: 'n7', from: 'SLTV_NODE_ID' });
  });

  for (const [name, text, message] of [
    ['c.ts', `\nenum A { B }\nexport default { A };`, 'c.ts:2: TypeScript enum is not supported'],
    [
      'c.ts',
      `\n\nconst a = ;`,
      way[0] === DENO ? 'c.ts: Syntax error\nhint: deno check' : 'c.ts:3: Expression expected',
    ],
    ['c.mjs', `\nconst a = ;`, "c.mjs:2: Unexpected token ';'"],
    [
      'c.ts',
      `import lvm from 'sltv/lvm';\nexport default { plugins: [lvm({ vgz: 1 } as object)] };`,
      'lvm.vgz: is not an option: did you mean vgs?',
    ],
  ] as const) {
    test(`${title} refuses a config and says: ${message}`, async () => {
      await using folder = await trustedFolder();
      const path = join(folder.path, name);
      writeFileSync(path, text);
      const { stderr, status } = run(way, ['config', 'check', '--config', path]);
      assert.is(status, 2);
      assert.match(stderr, message);
    });
  }
}

test('NODE_OPTIONS puts no code into the executable', async () => {
  await using folder = await trustedFolder();
  const evil = join(folder.path, 'evil.cjs');
  writeFileSync(evil, `console.log('evil');`);
  const { stdout } = run([EXECUTABLE], ['--version'], { NODE_OPTIONS: `--require=${evil}` });
  assert.is(stdout, `sltv ${version}\n`);
});

test('the compiled config is kept in the state directory, unless others could change it there', async () => {
  await using folder = await trustedFolder();
  const config = join(folder.path, 'c.ts');
  writeFileSync(config, `import dir from 'sltv/dir';\nexport default { plugins: [dir()] };`);
  const check = (state: string) =>
    run([EXECUTABLE], ['config', 'check', '--config', config], { SLTV_STATE_DIR: state }).status;
  const [safe, open] = [join(folder.path, 'safe'), join(folder.path, 'open')];
  for (const path of [safe, open]) mkdirSync(path);
  chmodSync(open, 0o777);
  assert.is(check(safe), 0);
  assert.is(check(open), 0);
  assert.ok(existsSync(join(safe, 'cache')));
  assert.not.ok(existsSync(join(open, 'cache')));
});

test('the executable’s daemon answers, opens no inspector on a signal, and stops', async () => {
  await using folder = await trustedFolder();
  const path = join(folder.path, 'c.mjs');
  writeFileSync(
    path,
    `import dir from 'sltv/dir';\nexport default { listen: [{ unix: '${folder.path}/s' }], stateDir: '${folder.path}/state', runDir: '${folder.path}/run', plugins: [dir()] };`,
  );
  const daemon = spawn(EXECUTABLE, ['daemon', '--config', path], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    const lines: string[] = [];
    const ended = once(daemon, 'close');
    const ready = Promise.withResolvers<void>();
    createInterface(daemon.stderr).on('line', (line) => {
      lines.push(line);
      if (line.includes('"message":"ready"')) ready.resolve();
    });
    await Promise.race([ready.promise, ended.then(() => assert.unreachable(lines.join('\n')))]);
    daemon.kill('SIGUSR1');
    const { stdout, stderr } = run([EXECUTABLE], ['disk', 'create', 'db', '--size', '1M', '--json'], {
      SLTV_ADDR: `unix://${folder.path}/s`,
    });
    assert.is(JSON.parse(stdout || '{}').name, 'db', stderr);
    daemon.kill('SIGTERM');
    const [code] = await ended;
    assert.is(code, 0);
    assert.not.match(lines.join('\n'), /[Dd]ebugger/);
  } finally {
    daemon.kill('SIGKILL');
  }
});

test.run();
