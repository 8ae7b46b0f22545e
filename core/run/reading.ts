// Children that change nothing: ended at their deadline, and when nobody waits for them any more.
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { coreErrors, SltvError } from '../errors.ts';
import { type Finished, fileWith, notStarted, type Start } from './child.ts';

export interface ReadingOptions {
  readonly signal: AbortSignal;
  /** Milliseconds after which it is killed and `core/timeout` thrown. */
  readonly timeout: number;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Reader {
  read(program: string, args: readonly string[], options: ReadingOptions): Promise<Finished>;
  /**
   * flock becomes the program, so that what ends one ends the other; the lock goes with the open file, which all have that it
   * starts. timeout(1) ends what a dead daemon no longer can.
   */
  readUnder(lock: string, program: string, args: readonly string[], options: ReadingOptions): Promise<Finished>;
}

/** `directory`: where the files of their input are. */
export function createReader(directory: string, start: Start): Reader {
  const read: Reader['read'] = async (program, args, options) => {
    options.signal.throwIfAborted();
    const input = options.input === undefined ? undefined : fileWith(directory, options.input);
    try {
      const { process, ended } = start(program, args, { stdin: input ?? 'ignore', env: options.env });
      using reins = reinsOf(process, options);
      const done = await ended;
      if (reins.isLate()) throw tooLate(program, args, options);
      options.signal.throwIfAborted();
      return done;
    } finally {
      if (input !== undefined) closeSync(input);
    }
  };
  return {
    read,
    async readUnder(lock, program, args, options) {
      const deadline = Math.ceil(options.timeout / 1000) + 1;
      const words = ['--no-fork', '--shared', lock, 'timeout', '--kill-after=1', String(deadline), program, ...args];
      const done = await read('flock', words, options).catch((error: unknown) => {
        throw error instanceof SltvError && error.kind === 'timeout' ? tooLate(program, args, options) : error;
      });
      if (done.code === TIMEOUT_NOT_EXECUTED) throw notStarted(program);
      return done;
    },
  };
}

/** Ends a child at its deadline, and when nobody waits for it any more: with SIGTERM, and when it won't hear, with SIGKILL. */
function reinsOf(child: ChildProcess, { signal, timeout }: ReadingOptions): Disposable & { isLate(): boolean } {
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

/** What timeout(1) ends with when there is no such program. */
const TIMEOUT_NOT_EXECUTED = 127;

function tooLate(program: string, args: readonly string[], { timeout }: ReadingOptions) {
  return coreErrors('timeout', `${program} ${args[0] ?? ''} did not answer within ${timeout} ms`);
}
