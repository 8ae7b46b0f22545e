import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Child } from '../../../core/run/child.ts';
import { flock } from '../../../core/run/lock-file.ts';
import { createReadyShells, type ReadyShells } from '../../../core/run/ready.ts';
import { daemonThat, errorOf, gate, goneProcess, house, killed } from './house.ts';

/** Shells that have nothing for stdin; gone with the test. */
async function shellsOf({ directory }: { readonly directory: string }) {
  const ready = createReadyShells(directory);
  ready.keep('ignore');
  const end = async () => {
    ready.drop('ignore');
    await eventually(async () => (await waitingShells()).length === 0);
  };
  return Object.assign(ready, { [Symbol.asyncDispose]: end });
}

/** What a shell became, once one is ready. */
async function become(
  ready: ReadyShells,
  program: string,
  args: readonly string[],
  env = {},
  stdin: number | 'ignore' = 'ignore',
) {
  await eventually(async () => (await waitingShells()).length >= 3);
  const child = ready.start(program, args, { stdin, env });
  assert.ok(isShells(child), 'it was started anew');
  return child;
}

const isShells = ({ process }: Child): boolean => process.spawnargs.includes('sltv-ready');

/** Of this process. */
async function waitingShells(): Promise<readonly number[]> {
  const children = await childrenOf(process.pid);
  const words = await Promise.all(children.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return children.filter((_, n) => words[n]?.includes('sltv-ready'));
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 1000) throw new Error('it does not come to be');
    await sleep(10);
  }
}

const ended = async (child: Promise<Child>) => await (await child).ended;

/** Processes whose parent is this one. */
const childrenOf = async (pid: number): Promise<readonly number[]> =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean).map(Number);

test('a shell becomes the program, and is that process from then on', async () => {
  await using here = await house();
  await using ready = await shellsOf(here);
  const child = await become(ready, 'sh', ['-c', 'echo $$; echo err >&2; echo report >&3; exit 3']);
  assert.equal(await child.ended, { code: 3, stdout: `${child.process.pid}\n`, stderr: 'err\n', report: 'report\n' });
});

test('each word reaches the program as it is, and its environment, too', async () => {
  await using here = await house();
  await using ready = await shellsOf(here);
  const words = [
    "it's",
    '"$HOME"',
    '`id`',
    '\\',
    'a\nb',
    '',
    ' two  words ',
    '*',
    '--',
    '-x',
    '$(id)',
    ';',
    'größe',
    'x'.repeat(20_000),
  ];
  const { stdout } = await ended(become(ready, 'printf', ['%s\\0', ...words]));
  assert.equal(stdout.split('\0').slice(0, -1), words);
  const env = { MINE: "it's $HOME\n" };
  const said = await ended(become(ready, 'sh', ['-c', 'printf "%s" "$LC_ALL $MINE"'], env));
  assert.is(said.stdout, `C ${env.MINE}`);
});

test('the program has nothing of what the shell waited with', async () => {
  await using here = await house();
  await using ready = await shellsOf(here);
  const { stdout } = await ended(
    become(ready, 'sh', ['-c', 'readlink /proc/$$/fd/0; [ -e /proc/$$/fd/4 ] || echo closed; cat']),
  );
  assert.is(stdout, '/dev/null\nclosed\n');
});

test('a program that isn’t there is named, and one that ends with that status has ended', async () => {
  await using here = await house();
  await using ready = await shellsOf(here);
  const missing = await errorOf(ended(become(ready, 'no-such-program', ['x'])));
  assert.equal([missing.code, missing.message.split(' ')[0]], ['core/no-tool', 'no-such-program']);
  const folder = await errorOf(ended(become(ready, here.directory, [])));
  assert.is(folder.code, 'core/no-tool');
  for (const code of [126, 127]) {
    assert.is((await ended(become(ready, 'sh', ['-c', `echo "sh: gone" >&2; exit ${code}`]))).code, code);
  }
});

test('what ends the process ends the program', async () => {
  await using here = await house();
  await using ready = await shellsOf(here);
  const begun = gate(here.directory, 'begun');
  const child = await become(ready, 'sh', ['-c', 'echo go >"$0"; exec sleep 60', begun.path]);
  await readFile(begun.path);
  child.process.kill();
  assert.is((await child.ended).code, 143);
});

test('a program has the lock that its shell waited with, and so have those that wait: until they are dropped', async () => {
  await using here = await house();
  const ready = createReadyShells(here.directory);
  const path = join(here.directory, 'lock');
  const isFree = () => spawnSync('flock', ['-xn', path, 'true']).status === 0;
  const file = openSync(path, 'a+');
  assert.ok(await flock(file, ['--shared']));
  ready.keep(file);
  const held = gate(here.directory, 'held');
  const child = await become(
    ready,
    'sh',
    ['-c', 'readlink /proc/$$/fd/0; [ -e /proc/$$/fd/4 ] || echo closed; read word <"$0"', held.path],
    {},
    file,
  );
  ready.drop(file);
  closeSync(file);
  assert.not.ok(isFree());
  await held.open();
  assert.is((await child.ended).stdout, `${path}\nclosed\n`);
  for (let tries = 0; !isFree(); tries++) {
    assert.ok(tries < 500, 'a shell that was dropped still has the lock');
    await sleep(10);
  }
});

test('none is made while a command runs, which is started as ever where none is ready', async () => {
  await using here = await house();
  await using ready = await shellsOf(here);
  const held = gate(here.directory, 'held');
  const command = ready.start('sh', ['-c', 'read word <"$0"; echo $word', held.path], { stdin: 'ignore' });
  assert.not.ok(isShells(command));
  // Longer than a rest takes.
  await sleep(600);
  assert.equal(await waitingShells(), []);
  await held.open();
  assert.is((await command.ended).stdout, 'go\n');
  assert.is((await ended(become(ready, 'echo', ['now']))).stdout, 'now\n');
});

test('shells that wait end with the process that they wait for, however it ends', async () => {
  await using here = await house();
  const daemon =
    daemonThat(`import { createReadyShells } from ${JSON.stringify(join(import.meta.dirname, '../../../core/run/ready.ts'))};
    createReadyShells(${JSON.stringify(here.directory)}).keep('ignore');
    setInterval(() => {}, 1000)`);
  const { pid = 0 } = daemon;
  let shells: readonly number[] = [];
  for (let tries = 0; shells.length < 3 && tries < 1000; tries++) {
    await sleep(10);
    shells = await childrenOf(pid);
  }
  assert.is(shells.length, 3);
  await killed(daemon);
  for (const shell of shells) await goneProcess(shell);
});

test('a shell that somebody ends while it waits becomes nothing, and behind the next command there are others', async () => {
  await using here = await house();
  await using ready = await shellsOf(here);
  await eventually(async () => (await waitingShells()).length >= 3);
  const before = await waitingShells();
  for (const pid of before) process.kill(pid, 'SIGKILL');
  for (const pid of before) await goneProcess(pid);
  const { stdout } = await ready.start('echo', ['again'], { stdin: 'ignore' }).ended;
  assert.is(stdout, 'again\n');
  assert.is((await ended(become(ready, 'echo', ['and again']))).stdout, 'and again\n');
});

test('none is ready where there is no room for output, and that ends nothing', async () => {
  await using here = await house();
  const folder = join(here.directory, 'file');
  spawnSync('touch', [folder]);
  await using ready = await shellsOf({ directory: folder });
  await sleep(600);
  assert.throws(() => ready.start('true', [], { stdin: 'ignore' }), /EEXIST|ENOTDIR/);
  await rm(folder);
  assert.is((await ready.start('echo', ['now'], { stdin: 'ignore' }).ended).stdout, 'now\n');
  assert.is((await ended(become(ready, 'echo', ['later']))).stdout, 'later\n');
  assert.equal(await readdir(folder), [], 'files of output have no name');
});

test.run();
