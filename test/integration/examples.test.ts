// The examples, by the executable alone: certified, their configs in order, and hello as its page tells.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { certify, copyOf, EXAMPLES, replace } from '../fixtures/example.ts';
import { EXECUTABLE, startDaemon, type, within } from '../fixtures/executable.ts';
import { judge } from '../fixtures/mistake.ts';

for (const example of ['plugin-lock-file', 'plugin-pool']) {
  test(`${example} is certified`, async () => {
    await using folder = await copyOf(example);
    const { code, stdout, stderr, cases } = await certify(folder.path);
    assert.is(code, 0, stdout + stderr);
    assert.ok(cases.length > 20, stdout);
    assert.is(stderr, '');
  });
}

for (const config of globSync('plugin-*/sltv.config.ts', { cwd: EXAMPLES })) {
  test(`examples/${config} is in order for the executable`, async () => {
    await using folder = await copyOf(config.split('/')[0] ?? '');
    const { code, stderr } = await type(`sltv config check --config ${join(folder.path, basename(config))}`);
    assert.is(code, 0, stderr);
  });
}

test('hello: a refusal has its reason, a disk that is made is greeted, and its stream is shown as it comes', async () => {
  await using folder = await copyOf('plugin-hello');
  const config = join(folder.path, 'sltv.config.ts');
  replace(config, 'plugins:', `${within(folder.path)}, reserve: 0,\n  plugins:`);
  await using daemon = await startDaemon([EXECUTABLE], config);
  const env = { SLTV_ADDR: `unix://${folder.path}/socket` };
  const refused = 'sltv disk create data --size 1M';
  judge(
    {
      typed: refused,
      kind: 'refused',
      code: 'core/gate-refused',
      says: 'plugin hello refuses disk.create: data does not begin with team-',
      hint: 'sltv disk create team-data',
    },
    await type(refused, env),
  );

  const watching = spawn(EXECUTABLE, ['hello', 'watch', '--count', '2', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const ended = once(watching, 'close');
  try {
    const told = createInterface(watching.stdout)[Symbol.asyncIterator]();
    // Made again and again, since nothing tells when the daemon has begun to listen for it.
    const first = told.next();
    let isTold = false;
    void first.then(() => {
      isTold = true;
    });
    for (let made = 0; !isTold && made < 100; made += 1) {
      assert.is((await type(`sltv disk create team-${made} --size 1M`, env)).code, 0);
    }
    assert.match(JSON.parse((await first).value ?? '').result.greeting, /^hello, team-\d+$/);
    await type('sltv disk create team-last --size 1M', env);
    assert.ok((await told.next()).value);
    assert.equal(await ended, [0, null]);
  } finally {
    watching.kill('SIGKILL');
  }
  assert.match(daemon.log(), 'hello, team-');
  const { stdout } = await type('sltv plugin list', env);
  assert.match(stdout, /hello +1\.0\.0 .*hello watch/);
  assert.match((await type('sltv hello watch --help', env)).stdout, '--count');
});

test.run();
