// dist/sltv.mjs under Deno, as daemon and as client, with the least that Deno has to permit.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { BUNDLE, DENO, IMPORTS, startDaemon, type, within } from '../fixtures/executable.ts';

// The kernel's boot id is in /proc, and Deno opens that only to who may do everything.
const DAEMON = [DENO, 'run', '--allow-all', BUNDLE];

/** A client's words before its own; `without`: a permission that it doesn't get. */
function client(socket: string, without = ''): string {
  const permissions = [
    '--allow-env=SLTV_ADDR,SLTV_TIMEOUT',
    `--allow-net=unix:${socket}`,
    `--allow-read=${socket}`,
    `--allow-write=${socket}`,
  ].filter((permission) => without === '' || !permission.startsWith(without));
  return [DENO, 'run', '--no-prompt', ...permissions, BUNDLE].join(' ');
}

/** A config of several parts: TypeScript of its own, a package, and what sltv brings along. */
function writeConfig(folder: string): string {
  const files = {
    'sltv.config.ts': `${IMPORTS}import hello from 'hello';
      import { room } from './room';
      export default defineConfig({
        ${within(folder)},
        plugins: [dir({ pools: { here: room } }), localLock(), hello()],
      });`,
    'room.ts': `export const room: string = '${folder}/disks' satisfies string;`,
    'node_modules/hello/package.json': '{ "name": "hello", "type": "module", "exports": "./index.js" }',
    'node_modules/hello/index.js': `import { definePlugin } from 'sltv';
      export default definePlugin({ name: 'hello', api: 1, setup: () => {} });`,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  mkdirSync(join(folder, 'disks'));
  return join(folder, 'sltv.config.ts');
}

test('a daemon under Deno loads a TypeScript config with plugins, keeps disks, and stops at SIGTERM', async () => {
  await using folder = await trustedFolder();
  await using daemon = await startDaemon(DAEMON, writeConfig(folder.path));
  const socket = join(folder.path, 'socket');
  const env = { SLTV_ADDR: `unix://${socket}` };
  const said = async (words: string) => {
    const { code, stdout, stderr } = await type(`${client(socket)} ${words} --json`, env);
    assert.is(code, 0, stderr);
    return JSON.parse(stdout || '{}');
  };
  const plugins: { name: string }[] = (await said('plugin list')).plugins;
  assert.equal(plugins.map(({ name }) => name).toSorted(), ['dir', 'disks', 'hello', 'local-lock', 'nodes']);
  assert.is((await said('disk create thick --size 1M')).state, 'ready');
  assert.is((await said('disk create thin --thin --virtual-size 8M')).virtualSizeBytes, String(8 * 2 ** 20));
  assert.is((await said('disk extend thick --delta 1M')).sizeBytes, String(2 * 2 ** 20));
  const names = async () => (await said('disk list')).disks.map(({ name }: { name: string }) => name);
  assert.equal(await names(), ['thick', 'thin']);
  assert.is((await said('disk show thick')).devicePath, join(folder.path, 'disks/thick'));
  await said('disk delete thick');
  assert.equal(await names(), ['thin']);

  const missing = await type(`${client(socket)} disk show thick`, env);
  assert.equal([missing.code, missing.stdout], [3, '']);
  assert.match(missing.stderr, 'sltv: there is no disk thick\nhint: sltv disk list      [core/disk-missing]');
  assert.is((await type('sltv disk show thin', env)).code, 0, 'the executable talks to it as well');

  assert.is(await daemon.stop(), 0);
  assert.match(daemon.log(), '"message":"stopped"');
});

test('a client under Deno is told which permission it lacks, and that nothing was asked', async () => {
  await using folder = await trustedFolder();
  const socket = join(folder.path, 'socket');
  for (const flag of ['--allow-env', '--allow-net', '--allow-read', '--allow-write']) {
    const { code, stderr } = await type(`${client(socket, flag)} disk list`, { SLTV_ADDR: `unix://${socket}` });
    assert.is(code, 8, stderr);
    assert.match(stderr, `hint: deno run ${flag} …`);
    assert.match(stderr, '[core/denied]');
  }
});

test.run();
