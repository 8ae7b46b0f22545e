// The one place that starts a process. `read` may be killed at any time; `write` never is.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { coreErrors, SltvError } from './errors.ts';
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
  /**
   * For a client whose request changes something elsewhere: held while it lives, as for `write`. It is killed all the same,
   * and by its deadline also when nobody is left to kill it.
   */
  readonly lock?: string;
}

export interface WriteOptions {
  /** The name of the lock that is held while the child lives; shared, so children don't wait for each other. */
  readonly lock: string;
  /** Others on this host wait for that lock (`quiet`): it is given back soon after the last child, not with this process. */
  readonly givesBack?: boolean;
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
  /**
   * Waits until no child on this host, of whatever process, holds this lock. What this process holds without a child is given
   * back first; another process has to do the same by itself (`givesBack`). The signal ends the waiting.
   */
  quiet(lock: string, signal: AbortSignal): Promise<void>;
}

export interface RunnerOptions {
  /** Where these locks, and what children say, are: a directory that a reboot empties. */
  readonly lockDirectory: string;
  readonly finished?: (command: { command: string; code: number | undefined; milliseconds: number }) => void;
}

export function createRunner({ lockDirectory, finished = () => {} }: RunnerOptions): Runner {
  const timed = async (program: string, args: readonly string[], work: () => Promise<Finished>): Promise<Finished> => {
    const begun = performance.now();
    // virsh takes several commands in one word; a name stays one of a few.
    const verb = args.find((word) => /^[a-z]/.test(word))?.split(' ', 1)[0];
    const name = `${program} ${verb ?? ''}`.trim();
    let code: number | undefined;
    try {
      const done = await work();
      code = done.code;
      return done;
    } finally {
      finished({ command: name, code, milliseconds: performance.now() - begun });
    }
  };
  const locks = createChildLocks(lockDirectory);
  return {
    read: (program, args, options) =>
      timed(program, args, async () =>
        options.lock === undefined
          ? await readWith(lockDirectory, program, args, options)
          : await readUnderLock(lockDirectory, locks.pathOf(options.lock), program, args, options),
      ),
    write: (program, args, options) =>
      timed(program, args, async () => {
        using hold = await locks.hold(options.lock, options.givesBack === true);
        return await writeWith(lockDirectory, hold.file, program, args, options);
      }),
    lines: linesOf,
    async orphans(log, signal) {
      locks.letGoOfAll();
      await waitForOrphans(lockDirectory, log, signal);
    },
    async quiet(lock, signal) {
      const path = locks.pathOf(lock);
      locks.letGo(path);
      await (await lockFile(path, signal))[Symbol.asyncDispose]();
    },
  };
}

/** A descriptor of a lock file, which a child inherits. */
type ChildLock = number;

/** A lock as this process has it, for all of its children. */
interface Hold {
  readonly file: ChildLock;
  readonly taken: Promise<void>;
  /** Children that have it, or soon will. */
  users: number;
  /** Closed with its last user, and given to no other. */
  isOver: boolean;
  /** Runs while it has no users and is about to be given back. */
  linger?: NodeJS.Timeout;
}

/**
 * The locks by which the next daemon knows that a child of this one still lives. A flock belongs to the open file, which
 * this process and its children share, so it is held until the last of them ends, also after our own kill -9. It is taken
 * once for many children, and each has it from its first moment.
 */
function createChildLocks(directory: string) {
  const held = new Map<string, Hold>();

  function take(path: string): Hold {
    const file = openSync(path, 'a+', 0o600);
    const taken = flock(file, ['--shared']).then((isTaken) => {
      if (!isTaken) throw coreErrors('tool-failed', `flock could not lock ${path}`);
    });
    const hold: Hold = { file, taken, users: 0, isOver: false };
    held.set(path, hold);
    return hold;
  }

  /** Nobody would find the lock on a file that was removed. */
  function holdOf(path: string): Hold {
    const hold = held.get(path);
    if (hold && isFileAt(path, hold.file)) return hold;
    letGo(path);
    return take(path);
  }

  /** From here on only living children have it. */
  function letGo(path: string): void {
    const hold = held.get(path);
    if (!hold) return;
    held.delete(path);
    hold.isOver = true;
    clearTimeout(hold.linger);
    if (hold.users === 0) closeSync(hold.file);
  }

  function release(path: string, hold: Hold, givesBack: boolean): void {
    hold.users -= 1;
    if (hold.users > 0) return;
    if (hold.isOver) closeSync(hold.file);
    else if (givesBack) hold.linger = setTimeout(letGo, LINGER, path).unref();
  }

  function pathOf(name: string): string {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return join(directory, `${name}.lock`);
  }

  return {
    pathOf,
    async hold(name: string, givesBack: boolean): Promise<Disposable & { readonly file: ChildLock }> {
      const path = pathOf(name);
      const hold = holdOf(path);
      hold.users += 1;
      clearTimeout(hold.linger);
      try {
        await hold.taken;
      } catch (error) {
        if (held.get(path) === hold) letGo(path);
        release(path, hold, givesBack);
        throw error;
      }
      return { file: hold.file, [Symbol.dispose]: () => release(path, hold, givesBack) };
    },
    letGo,
    letGoOfAll(): void {
      for (const path of [...held.keys()]) letGo(path);
    },
  };
}

/** Milliseconds. One command is often followed by another, and taking the lock is a process. */
const LINGER = 250;

function isFileAt(path: string, file: number): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const ours = fstatSync(file);
  return there?.ino === ours.ino && there.dev === ours.dev;
}

/**
 * Takes a lock file for this process, until it is disposed of or the process ends, however it ends. Others wait, in this
 * process as in any other, for as long as their signal lets them. Kinds: `unavailable` (`core/no-tool`) without flock.
 */
export async function lockFile(path: string, signal: AbortSignal): Promise<AsyncDisposable> {
  const file = await takeLock(path, ['--exclusive'], signal);
  if (file) return file;
  throw coreErrors('tool-failed', `flock could not lock ${path}`);
}

/** As lockFile, but undefined at once when another has it. */
export async function tryLockFile(path: string): Promise<AsyncDisposable | undefined> {
  return await takeLock(path, ['--exclusive', '--nonblock']);
}

async function takeLock(path: string, how: readonly string[], signal?: AbortSignal) {
  const file = await open(path, 'a', 0o600);
  let taken = false;
  try {
    taken = await flock(file.fd, how, signal);
    return taken ? file : undefined;
  } finally {
    if (!taken) await file.close();
  }
}

/** A flock belongs to the open file, which parent and child share: when flock(1) has ended, it is ours. */
async function flock(file: number, how: readonly string[], signal?: AbortSignal): Promise<boolean> {
  const child = spawn('flock', [...how, '0'], { stdio: [file, 'ignore', 'ignore'], ...(signal && { signal }) });
  const [code] = await once(child, 'close').catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw notStarted('flock', cause);
  });
  return code === 0;
}

/** One language for all output that we read. */
const LOCALE = { LC_ALL: 'C', LANGUAGE: 'C' };

async function readWith(
  directory: string,
  program: string,
  args: readonly string[],
  options: ReadOptions,
): Promise<Finished> {
  options.signal.throwIfAborted();
  const input = options.input === undefined ? undefined : fileWith(directory, options.input);
  try {
    const { child, ended } = start(program, args, { directory, stdin: input ?? 'ignore', env: options.env });
    using reins = reinsOf(child, options);
    const done = await ended;
    if (reins.isLate()) throw tooLate(program, args, options);
    options.signal.throwIfAborted();
    return done;
  } finally {
    if (input !== undefined) closeSync(input);
  }
}

/** Ends a child at its deadline, and when nobody waits for it any more: with SIGTERM, and when it won't hear, with SIGKILL. */
function reinsOf(child: ChildProcess, { signal, timeout }: ReadOptions): Disposable & { isLate(): boolean } {
  let isLate = false;
  let patience: NodeJS.Timeout | undefined;
  const end = () => {
    child.kill();
    patience ??= setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  };
  const deadline = setTimeout(() => {
    isLate = true;
    end();
  }, timeout);
  signal.addEventListener('abort', end, { once: true });
  return {
    isLate: () => isLate,
    [Symbol.dispose]() {
      clearTimeout(deadline);
      clearTimeout(patience);
      signal.removeEventListener('abort', end);
    },
  };
}

/** Milliseconds between being asked to end and being made to. */
const PATIENCE = 500;

/**
 * flock becomes the program, so that what ends one ends the other; the lock goes with the open file, which all have that it
 * starts. timeout(1) ends what a dead daemon no longer can.
 */
async function readUnderLock(
  directory: string,
  lock: string,
  program: string,
  args: readonly string[],
  options: ReadOptions,
) {
  const deadline = Math.ceil(options.timeout / 1000) + 1;
  const words = ['--no-fork', '--shared', lock, 'timeout', '--kill-after=1', String(deadline), program, ...args];
  const done = await readWith(directory, 'flock', words, options).catch((error: unknown) => {
    throw error instanceof SltvError && error.kind === 'timeout' ? tooLate(program, args, options) : error;
  });
  if (done.code === TIMEOUT_NOT_EXECUTED) throw notStarted(program);
  return done;
}

/** What timeout(1) ends with when there is no such program. */
const TIMEOUT_NOT_EXECUTED = 127;

function tooLate(program: string, args: readonly string[], { timeout }: ReadOptions) {
  return coreErrors('timeout', `${program} ${args[0] ?? ''} did not answer within ${timeout} ms`);
}

/** The lock is the child's stdin, because lvm closes all that it inherits but descriptors 0 to 2. */
async function writeWith(
  directory: string,
  lock: ChildLock,
  program: string,
  args: readonly string[],
  options: WriteOptions,
): Promise<Finished> {
  return await start(program, args, { directory, stdin: lock, env: options.env, detached: true }).ended;
}

interface StartOptions {
  /** Where the files of its output are. */
  readonly directory: string;
  readonly stdin: number | 'ignore';
  readonly env: Readonly<Record<string, string>> | undefined;
  readonly detached?: boolean;
}

/**
 * The child's output goes to unlinked files. Pipes would end a child that writes by SIGPIPE in the middle of a commit, when
 * their reader has died; and three of them take as long as half the start of a process. Descriptor 3 is where LVM writes its reports,
 * apart from its warnings.
 */
function start(program: string, args: readonly string[], { directory, stdin, env, detached = false }: StartOptions) {
  const files = [outputFile(directory), outputFile(directory), outputFile(directory)] as const;
  const close = () => files.forEach(closeSync);
  const [stdout, stderr, report] = files;
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      stdio: [stdin, stdout, stderr, report],
      detached,
      env: { ...process.env, ...LOCALE, ...env },
    });
  } catch (error) {
    close();
    throw error;
  }
  const ended = new Promise<Finished>((resolve, reject) => {
    child.once('error', (cause) => reject(notStarted(program, cause)));
    child.once('close', (status, signal) => {
      const code = status ?? killedBy(signal);
      resolve({ code, stdout: contents(stdout), stderr: contents(stderr), report: contents(report) });
    });
  }).finally(close);
  return { child, ended };
}

/** A child that a signal ended counts as a shell counts it: 128 + the signal's number. */
const killedBy = (signal: NodeJS.Signals | null): number => 128 + (signal === null ? 0 : constants.signals[signal]);

function outputFile(directory: string): number {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${randomUUID()}.out`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}

/** What is written at a position leaves the descriptor at the beginning, where a child begins to read. */
function fileWith(directory: string, text: string): number {
  const file = outputFile(directory);
  writeSync(file, text, 0);
  return file;
}

function contents(file: number): string {
  const buffer = Buffer.alloc(fstatSync(file).size);
  readSync(file, buffer, 0, buffer.length, 0);
  return buffer.toString();
}

function notStarted(program: string, cause?: unknown) {
  return coreErrors('no-tool', `${program} could not be started on this host`, {
    hint: `install the package that has it: ${PACKAGES[program] ?? `apt-file search bin/${program}`}`,
    cause,
  });
}

/** Debian's names; other distributions' are alike. */
const PACKAGES: Readonly<Record<string, string>> = {
  lvm: 'lvm2',
  virsh: 'libvirt-clients',
  'qemu-img': 'qemu-utils',
  flock: 'util-linux',
  fallocate: 'util-linux',
};

async function* linesOf(program: string, args: readonly string[], signal: AbortSignal): AsyncIterable<string> {
  const left = new AbortController();
  const child = execa(program, args, {
    reject: false,
    stdin: 'ignore',
    // Nobody reads it, and a full pipe would stop the child.
    stderr: 'ignore',
    buffer: false,
    cancelSignal: AbortSignal.any([signal, left.signal]),
    forceKillAfterDelay: 500,
    env: LOCALE,
  });
  try {
    // Not execa's own iterable: it waits for the child's end also when its reader has left.
    yield* createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
    const result = await child;
    if (result.exitCode === undefined && result.signal === undefined && !signal.aborted) {
      throw notStarted(program, result.cause);
    }
  } finally {
    left.abort();
    await child;
  }
}

async function waitForOrphans(directory: string, log: Log, signal: AbortSignal): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((file) => file.endsWith('.lock'))) {
    const path = join(directory, name);
    const isFree = async (seconds: number) => {
      const words = ['--exclusive', '--wait', String(seconds), path, 'true'];
      return (await readWith(directory, 'flock', words, { signal, timeout: 10_000 })).code === 0;
    };
    for (let seconds = 0; !(await isFree(seconds)); seconds = 5) {
      log.warn('a command of an earlier daemon is still writing; waiting for it', { lock: path });
    }
  }
}
