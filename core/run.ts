// The one place that starts a process. `read` may be killed at any time; `write` never is.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, unlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { coreErrors } from './errors.ts';
import type { Log } from './log.ts';

/** A process that has ended by itself. A status other than 0 is the caller's to translate, where its meaning is known. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What it wrote to descriptor 3: LVM's reports. */
  readonly report: string;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** Milliseconds after which it is killed and `core/timeout` thrown. */
  readonly timeout: number;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface WriteOptions {
  /** The name of the wrapper lock that is held while the child lives; shared, so children don't wait for each other. */
  readonly lock: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts processes. Kinds: `unavailable` (`core/no-tool`) when the program isn't there. */
export interface Runner {
  /** Runs a program that changes nothing; killed by the signal and at its deadline. */
  read(program: string, args: readonly string[], options: ReadOptions): Promise<Finished>;
  /** Runs a program that writes: no signal, no deadline, and it outlives the daemon. */
  write(program: string, args: readonly string[], options: WriteOptions): Promise<Finished>;
  /** Runs a program for as long as it has something to tell, line by line; killed by the signal. */
  lines(program: string, args: readonly string[], signal: AbortSignal): AsyncIterable<string>;
  /** Waits until no child of an earlier daemon writes any more. The daemon's first act. */
  orphans(log: Log, signal: AbortSignal): Promise<void>;
}

export interface RunnerOptions {
  /** Where the wrapper locks are: a directory that a reboot empties. */
  readonly lockDirectory: string;
  readonly finished?: (command: { command: string; code: number | undefined; milliseconds: number }) => void;
}

export function createRunner({ lockDirectory, finished = () => {} }: RunnerOptions): Runner {
  const timed = async (program: string, args: readonly string[], work: () => Promise<Finished>): Promise<Finished> => {
    const begun = performance.now();
    const name = `${program} ${args.find((word) => /^[a-z]/.test(word)) ?? ''}`.trim();
    let code: number | undefined;
    try {
      const done = await work();
      code = done.code;
      return done;
    } finally {
      finished({ command: name, code, milliseconds: performance.now() - begun });
    }
  };
  return {
    read: (program, args, options) => timed(program, args, () => readWith(program, args, options)),
    write: (program, args, options) =>
      timed(program, args, () => {
        mkdirSync(lockDirectory, { recursive: true, mode: 0o700 });
        return writeWith(join(lockDirectory, `${options.lock}.lock`), program, args, options);
      }),
    lines: linesOf,
    orphans: (log, signal) => waitForOrphans(lockDirectory, log, signal),
  };
}

/** One language for all output that we read. */
const LOCALE = { LC_ALL: 'C', LANGUAGE: 'C' };

async function readWith(program: string, args: readonly string[], options: ReadOptions): Promise<Finished> {
  options.signal.throwIfAborted();
  const result = await execa(program, args, {
    reject: false,
    // Descriptor 3 is where LVM writes its reports, apart from its warnings.
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
    ...(options.input === undefined ? {} : { input: options.input }),
    env: { ...LOCALE, ...options.env },
    cancelSignal: options.signal,
    timeout: options.timeout,
    forceKillAfterDelay: 500,
    stripFinalNewline: false,
  });
  if (result.timedOut) {
    throw coreErrors('timeout', `${program} ${args[0] ?? ''} did not answer within ${options.timeout} ms`);
  }
  options.signal.throwIfAborted();
  if (result.exitCode === undefined) throw notStarted(program, result.cause);
  return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr, report: String(result.stdio[3] ?? '') };
}

/**
 * The child's output goes to unlinked files, not to pipes: a pipe whose reader has died would end the child by SIGPIPE in
 * the middle of a commit. flock keeps the lock until the child ends, also after our own kill -9; lvm itself closes
 * inherited descriptors, so a lock on one of ours would protect nothing.
 */
async function writeWith(
  lock: string,
  program: string,
  args: readonly string[],
  options: WriteOptions,
): Promise<Finished> {
  const files = [outputFile(lock), outputFile(lock), outputFile(lock)] as const;
  try {
    const [stdout, stderr, report] = files;
    // Not execa: it would put pipes between the child and these files.
    const child = spawn('flock', ['--shared', lock, program, ...args], {
      stdio: ['ignore', stdout, stderr, report],
      detached: true,
      env: { ...process.env, ...LOCALE, ...options.env },
    });
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', (cause) => reject(notStarted('flock', cause)));
      child.once('close', (status, signal) =>
        resolve(status ?? KILLED + (signal === null ? 0 : constants.signals[signal])),
      );
    });
    const done = { code, stdout: contents(stdout), stderr: contents(stderr), report: contents(report) };
    if (done.code === FLOCK_NOT_EXECUTED && done.stderr.startsWith('flock: failed to execute'))
      throw notStarted(program);
    return done;
  } finally {
    for (const file of files) closeSync(file);
  }
}

/** util-linux flock exits with EX_OSERR (71) or EX_UNAVAILABLE (69) when it can't execute the program. */
const FLOCK_NOT_EXECUTED = 69;

/** A child that a signal ended counts as a shell counts it: 128 + the signal's number. */
const KILLED = 128;

function outputFile(lock: string): number {
  const path = `${lock}.${randomUUID()}.out`;
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}

function contents(file: number): string {
  const buffer = Buffer.alloc(fstatSync(file).size);
  readSync(file, buffer, 0, buffer.length, 0);
  return buffer.toString();
}

function notStarted(program: string, cause?: unknown) {
  return coreErrors('no-tool', `${program} could not be started on this host`, {
    hint: `install the package that has ${program} (lvm2, qemu-utils, libvirt-clients)`,
    cause,
  });
}

async function* linesOf(program: string, args: readonly string[], signal: AbortSignal): AsyncIterable<string> {
  const child = execa(program, args, {
    reject: false,
    stdin: 'ignore',
    buffer: false,
    cancelSignal: signal,
    forceKillAfterDelay: 500,
    env: LOCALE,
  });
  yield* child.iterable();
  const result = await child;
  if (result.exitCode === undefined && !signal.aborted) throw notStarted(program, result.cause);
}

async function waitForOrphans(directory: string, log: Log, signal: AbortSignal): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((file) => file.endsWith('.lock'))) {
    const path = join(directory, name);
    const free = async () =>
      (await readWith('flock', ['--exclusive', '--wait', '5', path, 'true'], { signal, timeout: 10_000 })).code === 0;
    while (!(await free())) log.warn('a command of an earlier daemon is still writing; waiting for it', { lock: path });
  }
}
