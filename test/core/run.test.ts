import { execFileSync } from 'node:child_process';
import { access, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLog } from '../../core/log.ts';
import { createRunner } from '../../core/run.ts';
import { daemonThat, errorOf, gate, goneProcess, house, killed, never, quick } from './run/house.ts';

const quiet = createLog({ level: 'error', format: 'text', write: () => {} });

async function all(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const seen: string[] = [];
  for await (const line of lines) seen.push(line);
  return seen;
}

// read

test('reading keeps output, errors and the report on descriptor 3 apart, and answers with the status', async () => {
  await using here = await house();
  const done = await here.run.read('sh', ['-c', 'echo out; echo err >&2; echo report >&3; exit 3'], quick);
  assert.equal(done, { code: 3, stdout: 'out\n', stderr: 'err\n', report: 'report\n' });
});

test('every program speaks English, and has the environment that it was given', async () => {
  await using here = await house();
  const script = ['-c', 'echo $LC_ALL $LANGUAGE $MINE'];
  const env = { MINE: 'mine' };
  assert.is((await here.run.read('sh', script, { ...quick, env })).stdout, 'C C mine\n');
  assert.is((await here.run.write('sh', script, { lock: 'a', env })).stdout, 'C C mine\n');
});

test('a program reads its input, and nothing when there is none', async () => {
  await using here = await house();
  assert.is((await here.run.read('cat', [], { ...quick, input: 'größe\n' })).stdout, 'größe\n');
  assert.is((await here.run.read('cat', [], quick)).stdout, '');
  assert.is((await here.run.write('cat', [], { lock: 'a' })).stdout, '');
});

test('a program that isn’t there is `unavailable`, and named', async () => {
  await using here = await house();
  for (const attempt of [
    () => here.run.read('no-such-program', [], quick),
    () => here.run.write('no-such-program', [], { lock: 'a' }),
    () => all(here.run.lines('no-such-program', [], never)),
  ]) {
    const error = await errorOf(attempt());
    assert.equal([error.kind, error.code], ['unavailable', 'core/no-tool']);
    assert.match(error.message, /^no-such-program /);
  }
});

test('a reader that takes too long is killed, also one that won’t hear of it', async () => {
  await using here = await house();
  for (const script of ['echo $$ >"$0"; exec sleep 60', 'trap "" TERM; echo $$ >"$0"; while :; do sleep 0.1; done']) {
    const file = join(here.directory, 'pid');
    const error = await errorOf(here.run.read('sh', ['-c', script, file], { signal: never, timeout: 300 }));
    assert.equal([error.kind, error.code], ['timeout', 'core/timeout']);
    await goneProcess(Number(await readFile(file, 'utf8')));
  }
});

test('a reader whose caller has left is killed', async () => {
  await using here = await house();
  const started = gate(here.directory, 'started');
  const caller = new AbortController();
  const script = ['-c', 'echo $$ >"$0"; exec sleep 60', started.path];
  const reading = errorOf(here.run.read('sh', script, { signal: caller.signal, timeout: 60_000 }));
  const pid = Number(await readFile(started.path, 'utf8'));
  caller.abort();
  assert.is((await reading).kind, 'cancelled');
  await goneProcess(pid);
});

test('a caller who had left before starts nothing', async () => {
  await using here = await house();
  const file = join(here.directory, 'file');
  const reading = here.run.read('touch', [file], { signal: AbortSignal.abort(), timeout: 1000 });
  assert.is((await errorOf(reading)).kind, 'cancelled');
  assert.is(await access(file).catch(() => 'not there'), 'not there');
});

test('a program that somebody else kills has a status, as in a shell', async () => {
  await using here = await house();
  assert.is((await here.run.read('sh', ['-c', 'kill -9 $$'], quick)).code, 137);
  assert.is((await here.run.write('sh', ['-c', 'kill -9 $$'], { lock: 'a' })).code, 137);
});

test('a reader under a lock is a reader like any other', async () => {
  await using here = await house();
  const locked = { ...quick, lock: 'a' };
  const done = await here.run.read('sh', ['-c', 'echo out; echo err >&2; echo report >&3; exit 3'], locked);
  assert.equal(done, { code: 3, stdout: 'out\n', stderr: 'err\n', report: 'report\n' });
  const missing = await errorOf(here.run.read('no-such-program', [], locked));
  assert.equal([missing.code, missing.message.split(' ')[0]], ['core/no-tool', 'no-such-program']);
  const file = join(here.directory, 'pid');
  const script = ['-c', 'echo $$ >"$0"; exec sleep 60', file];
  const late = await errorOf(here.run.read('sh', script, { ...locked, timeout: 500 }));
  assert.equal([late.code, late.message.split(' ')[0]], ['core/timeout', 'sh']);
  await goneProcess(Number(await readFile(file, 'utf8')));
});

test('the next daemon waits for a reader under a lock, as long as that may live', async () => {
  await using here = await house();
  const begun = gate(here.directory, 'begun');
  const held = gate(here.directory, 'held');
  const script = ['-c', 'echo go >"$0"; read word <"$1"', begun.path, held.path];
  const reading = here.run.read('sh', script, { ...quick, lock: 'a' });
  await readFile(begun.path);
  assert.is((await errorOf(here.run.orphans(quiet, AbortSignal.timeout(50)))).kind, 'timeout');
  await held.open();
  await here.run.orphans(quiet, never);
  await reading;
});

// write

test('writing keeps output, errors and the report apart, however long they are', async () => {
  await using here = await house();
  const script = 'head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2; head -c 100000 /dev/zero >&3; exit 5';
  const { code, stdout, stderr, report } = await here.run.write('sh', ['-c', script], { lock: 'a' });
  assert.equal([code, stdout.length, stderr.length, report.length], [5, 300_000, 200_000, 100_000]);
});

test('every status is the program’s own', async () => {
  await using here = await house();
  for (const status of [1, 69, 71, 127]) {
    assert.is((await here.run.write('sh', ['-c', `exit ${status}`], { lock: 'a' })).code, status);
  }
});

test('words that look like options reach the program', async () => {
  await using here = await house();
  assert.is((await here.run.write('echo', ['--shared', '-x'], { lock: 'a' })).stdout, '--shared -x\n');
});

test('who writes does not share our process group, so that no Ctrl-C reaches it', async () => {
  await using here = await house();
  const { stdout } = await here.run.write('sh', ['-c', 'ps -o pgid= -p $$'], { lock: 'a' });
  const ours = execFileSync('ps', ['-o', 'pgid=', '-p', String(process.pid)]).toString();
  assert.is.not(stdout.trim(), ours.trim());
});

test('two who write under one lock don’t wait for each other', async () => {
  await using here = await house();
  const meeting = gate(here.directory, 'meeting');
  const done = await Promise.all([
    here.run.write('sh', ['-c', 'read word <"$0"; echo "$word"', meeting.path], { lock: 'a' }),
    here.run.write('sh', ['-c', 'echo met >"$0"', meeting.path], { lock: 'a' }),
  ]);
  assert.is(done[0].stdout, 'met\n');
});

test('who writes goes on after the daemon was killed, and the next daemon waits for its end', async () => {
  await using here = await house();
  const begun = gate(here.directory, 'begun');
  const held = gate(here.directory, 'held');
  const result = join(here.directory, 'result');
  const script = 'echo $$ >"$0"; read word <"$1"; echo noise; echo whole >"$2"';
  const words = ['sh', ['-c', script, begun.path, held.path, result], { lock: 'vg0' }];
  const daemon = daemonThat(`createRunner({ lockDirectory: ${JSON.stringify(here.lockDirectory)} })
    .write(...${JSON.stringify(words)})`);
  const child = Number(await readFile(begun.path, 'utf8'));
  await killed(daemon);
  assert.is(await readFile(`/proc/${child}/comm`, 'utf8'), 'sh\n');

  let waited = true;
  const waiting = here.run.orphans(quiet, never).then(() => {
    waited = false;
  });
  // Whoever asks for the lock without waiting does not get it.
  const { code } = await here.run.read('flock', ['-xn', join(here.lockDirectory, 'vg0.lock'), 'true'], quick);
  assert.equal([code, waited], [1, true]);
  await held.open();
  await waiting;
  assert.is(await readFile(result, 'utf8'), 'whole\n');
});

test('a lock whose file somebody removed is taken on a new one', async () => {
  await using here = await house();
  const path = join(here.lockDirectory, 'a.lock');
  await here.run.write('true', [], { lock: 'a' });
  await rm(path);
  const { stdout } = await here.run.write('sh', ['-c', `flock -xn ${path} true || echo held`], { lock: 'a' });
  assert.is(stdout, 'held\n');
});

test('waiting for the commands of an earlier daemon can be given up', async () => {
  await using here = await house();
  const begun = gate(here.directory, 'begun');
  const held = gate(here.directory, 'held');
  const writing = here.run.write('sh', ['-c', 'echo go >"$0"; read word <"$1"', begun.path, held.path], { lock: 'a' });
  await readFile(begun.path);
  const error = await errorOf(here.run.orphans(quiet, AbortSignal.timeout(50)));
  assert.is(error.kind, 'timeout');
  await held.open();
  await writing;
});

test('where nothing is left behind nobody waits', async () => {
  await using here = await house();
  await here.run.orphans(quiet, never);
  await here.run.write('true', [], { lock: 'a' });
  await here.run.orphans(quiet, never);
});

// quiet

test('it is quiet when no child has the lock any more, of this process or of one that was killed', async () => {
  await using here = await house();
  const begun = gate(here.directory, 'begun');
  const held = gate(here.directory, 'held');
  const words = ['sh', ['-c', 'echo go >"$0"; read word <"$1"', begun.path, held.path], { lock: 'vg0' }];
  const daemon = daemonThat(`createRunner({ lockDirectory: ${JSON.stringify(here.lockDirectory)} })
    .write(...${JSON.stringify(words)})`);
  await readFile(begun.path);
  await killed(daemon);
  await here.run.quiet('another', never);
  assert.is((await errorOf(here.run.quiet('vg0', AbortSignal.timeout(50)))).kind, 'timeout');
  await held.open();
  await here.run.quiet('vg0', never);

  const own = here.run.write('sh', ['-c', 'echo go >"$0"; read word <"$1"', begun.path, held.path], { lock: 'vg0' });
  await readFile(begun.path);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const waited = here.run.quiet('vg0', never).then(end);
  assert.is((await errorOf(here.run.quiet('vg0', AbortSignal.timeout(50)))).kind, 'timeout');
  await held.open();
  await Promise.all([own, ended, waited]);
});

test('a lock that this process has without a child keeps nobody waiting who asks here, and its children have it again', async () => {
  await using here = await house();
  const path = join(here.lockDirectory, 'a.lock');
  await here.run.write('true', [], { lock: 'a' });
  await here.run.quiet('a', never);
  const { stdout } = await here.run.write('sh', ['-c', `flock -xn ${path} true || echo held`], { lock: 'a' });
  assert.is(stdout, 'held\n');
});

test('another process waits for a lock that is given back only as long as its children live, and a little', async () => {
  await using here = await house();
  const other = createRunner({ lockDirectory: here.lockDirectory });
  await here.run.write('true', [], { lock: 'a', givesBack: true });
  await other.quiet('a', AbortSignal.timeout(10_000));
  await here.run.write('true', [], { lock: 'b' });
  assert.is((await errorOf(other.quiet('b', AbortSignal.timeout(600)))).kind, 'timeout');
});

// lines

test('lines come as they are said, the last one with or without its end', async () => {
  await using here = await house();
  const lines = await all(here.run.lines('printf', ['a\\n\\ngröße\\nend'], never));
  assert.equal(lines, ['a', '', 'größe', 'end']);
});

test('a line comes before the program ends', async () => {
  await using here = await house();
  const held = gate(here.directory, 'held');
  const seen: string[] = [];
  for await (const line of here.run.lines('sh', ['-c', 'echo first; read word <"$0"; echo second', held.path], never)) {
    seen.push(line);
    if (line === 'first') await held.open();
  }
  assert.equal(seen, ['first', 'second']);
});

test('a program with much to say on stderr is not held up', async () => {
  await using here = await house();
  const script = 'head -c 1000000 /dev/zero >&2; echo said';
  assert.equal(await all(here.run.lines('sh', ['-c', script], never)), ['said']);
});

test('lines end with their signal, and their program with them', async () => {
  await using here = await house();
  const caller = new AbortController();
  let pid = 0;
  for await (const line of here.run.lines('sh', ['-c', 'echo $$; exec sleep 60'], caller.signal)) {
    pid = Number(line);
    caller.abort();
  }
  await goneProcess(pid);
});

test('a program whose listener has left is ended', async () => {
  await using here = await house();
  let pid = 0;
  for await (const line of here.run.lines('sh', ['-c', 'echo $$; exec sleep 60'], never)) {
    pid = Number(line);
    break;
  }
  assert.ok(pid > 0);
  await goneProcess(pid);
});

// what is told of commands

test('each command is told of by program and first word, with its status and time, also when it fails', async () => {
  await using here = await house();
  await here.run.read('env', ['-u', 'X', 'true'], quick);
  await here.run.write('sh', ['-c', 'exit 4; true'], { lock: 'a' });
  await errorOf(here.run.read('no-such-program', ['--json', 'list', 'all'], quick));
  assert.equal(
    here.ended.map(({ command, code }) => [command, code]),
    [
      ['env true', 0],
      ['sh exit', 4],
      ['no-such-program list', undefined],
    ],
  );
  assert.ok(here.ended.every(({ milliseconds }) => milliseconds >= 0 && milliseconds < 10_000));
});

test.run();
