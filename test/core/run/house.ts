// What tests of children share: a folder of locks, processes that wait at a gate, and daemons that are killed.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asSltvError } from '../../../core/errors.ts';
import { createRunner, type RunnerOptions } from '../../../core/run.ts';

type Ended = Parameters<NonNullable<RunnerOptions['finished']>>[0];

export const never = new AbortController().signal;
export const quick = { signal: never, timeout: 10_000 };

export async function house() {
  const directory = await mkdtemp(join(tmpdir(), 'sltv-run-'));
  const ended: Ended[] = [];
  const lockDirectory = join(directory, 'locks');
  const run = createRunner({ lockDirectory, finished: (command) => ended.push(command) });
  return { directory, lockDirectory, run, ended, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

export const errorOf = async (promise: Promise<unknown>) => asSltvError(await promise.catch((error: unknown) => error));

/** Ends when nobody has this process id any more, or waits only for its parent to hear of its end. */
export async function goneProcess(pid: number): Promise<void> {
  const isThere = async () => !/^\d+ \(.*\) Z/s.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '0 () Z'));
  const deadline = Date.now() + 5000;
  while (await isThere()) if (Date.now() > deadline) throw new Error(`process ${pid} is still there`);
}

/** A pipe that a child waits at: reading `path` in a shell returns when `open` was called. */
export function gate(directory: string, name: string): { path: string; open(): Promise<void> } {
  const path = join(directory, name);
  execFileSync('mkfifo', [path]);
  return { path, open: () => writeFile(path, 'go\n') };
}

/** A process of its own that does this with core/run.ts. */
export function daemonThat(does: string): ChildProcess {
  const source = `import { createRunner, lockFile } from ${JSON.stringify(join(import.meta.dirname, '../../../core/run.ts'))};\n${does};`;
  return spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

export async function killed(daemon: ChildProcess): Promise<void> {
  daemon.kill('SIGKILL');
  await once(daemon, 'close');
}
