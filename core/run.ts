// The one place that starts processes. `read` may be killed at any time; `write` never is.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from './log.ts';
import { type Finished, type Start, startChild } from './run/child.ts';
import { createChildLocks } from './run/child-locks.ts';
import { linesOf } from './run/lines.ts';
import { lockFile } from './run/lock-file.ts';
import { createReader, type ReadingOptions } from './run/reading.ts';
import { createReadyShells } from './run/ready.ts';

export type { Finished } from './run/child.ts';
export { lockFile, tryLockFile } from './run/lock-file.ts';

export interface ReadOptions extends ReadingOptions {
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
  /** Shells are kept ready to become commands: for a process in which those come again and again. */
  readonly keepsShells?: boolean;
  readonly finished?: (command: { command: string; code: number | undefined; milliseconds: number }) => void;
}

export function createRunner({ lockDirectory, keepsShells = false, finished = () => {} }: RunnerOptions): Runner {
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
  const ready = keepsShells ? createReadyShells(lockDirectory) : undefined;
  ready?.keep('ignore');
  const start: Start =
    ready?.start ?? ((program, args, options) => startChild(program, args, { directory: lockDirectory, ...options }));
  const reader = createReader(lockDirectory, start);
  const locks = createChildLocks(lockDirectory, ready);
  return {
    read: (program, args, options) =>
      timed(program, args, async () =>
        options.lock === undefined
          ? await reader.read(program, args, options)
          : await reader.readUnder(locks.pathOf(options.lock), program, args, options),
      ),
    write: (program, args, { lock, givesBack = false, env }) =>
      timed(program, args, async () => {
        using hold = await locks.hold(lock, givesBack);
        // The lock is the child's stdin, because lvm closes all that it inherits but descriptors 0 to 2.
        return await start(program, args, { stdin: hold.file, env }).ended;
      }),
    lines: linesOf,
    async orphans(log, signal) {
      locks.letGoOfAll();
      const names = await readdir(lockDirectory).catch(() => []);
      for (const name of names.filter((file) => file.endsWith('.lock'))) {
        const lock = join(lockDirectory, name);
        const isFree = async (seconds: number) => {
          const words = ['--exclusive', '--wait', String(seconds), lock, 'true'];
          return (await reader.read('flock', words, { signal, timeout: 10_000 })).code === 0;
        };
        for (let seconds = 0; !(await isFree(seconds)); seconds = 5) {
          log.warn('a command of an earlier daemon is still writing; waiting for it', { lock });
        }
      }
    },
    async quiet(lock, signal) {
      const path = locks.pathOf(lock);
      locks.letGo(path);
      await (await lockFile(path, signal))[Symbol.asyncDispose]();
    },
  };
}
