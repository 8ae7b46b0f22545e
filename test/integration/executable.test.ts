// What only the single executable has; what it shares with the bundle is in smoke.ts.
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import manifest from '../../package.json' with { type: 'json' };
import { trustedFolder } from '../core/kernel/kit.ts';
import { EXECUTABLE, ownDaemon, type } from '../fixtures/executable.ts';
import { run } from '../fixtures/ways.ts';

const MEGABYTE = 1e6;

test('the executable is at most 130 MB', () => {
  assert.ok(statSync(EXECUTABLE).size <= 130 * MEGABYTE);
});

test('NODE_OPTIONS puts no code into the executable', async () => {
  await using folder = await trustedFolder();
  const evil = join(folder.path, 'evil.cjs');
  writeFileSync(evil, `console.log('evil');`);
  const { stdout } = await run([EXECUTABLE], ['--version'], { NODE_OPTIONS: `--require=${evil}` });
  assert.is(stdout, `sltv ${manifest.version}\n`);
});

test('the compiled config is kept in the state directory, unless others could change it there', async () => {
  await using folder = await trustedFolder();
  const config = join(folder.path, 'c.ts');
  writeFileSync(config, `import dir from 'sltv/dir';\nexport default { plugins: [dir()] };`);
  const check = async (state: string) =>
    (await run([EXECUTABLE], ['config', 'check', '--config', config], { SLTV_STATE_DIR: state })).code;
  const [safe, open] = [join(folder.path, 'safe'), join(folder.path, 'open')];
  for (const path of [safe, open]) mkdirSync(path);
  chmodSync(open, 0o777);
  assert.is(await check(safe), 0);
  assert.is(await check(open), 0);
  assert.ok(existsSync(join(safe, 'cache')));
  assert.not.ok(existsSync(join(open, 'cache')));
});

test('the executable’s daemon opens no inspector on a signal, and goes on', async () => {
  await using folder = await trustedFolder();
  mkdirSync(join(folder.path, 'disks'));
  await using daemon = await ownDaemon(folder.path, `dir({ pools: { here: '${folder.path}/disks' } })`);
  process.kill(daemon.pid, 'SIGUSR1');
  const { stdout, stderr } = await type('sltv disk create db --size 1M --json', daemon.env);
  assert.is(JSON.parse(stdout || '{}').name, 'db', stderr);
  assert.is(await daemon.stop(), 0);
  assert.not.match(daemon.log(), /[Dd]ebugger/);
});

test.run();
