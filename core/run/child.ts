// A child, the files that its output goes to, and how it ended.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { asSltvError, coreErrors } from '../errors.ts';

/** A process that has ended by itself. A status other than 0 is the caller's to translate, where its meaning is known. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What it wrote to descriptor 3: LVM's reports. */
  readonly report: string;
}

export interface Child {
  readonly process: ChildProcess;
  /** Errors: `core/no-tool` when the program isn't there. */
  readonly ended: Promise<Finished>;
}

export interface StartOptions {
  /** Its descriptor 0. */
  readonly stdin: number | 'ignore';
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Starts a child in one way or another. */
export type Start = (program: string, args: readonly string[], options: StartOptions) => Child;

export interface ChildOptions extends Omit<StartOptions, 'stdin'> {
  /** Where the files of its output are. */
  readonly directory: string;
  readonly stdin: StartOptions['stdin'] | 'pipe';
  /** Its descriptor 4, where it has one. */
  readonly fourth?: number;
}

/** One language for all output that we read. */
export const LOCALE = { LC_ALL: 'C', LANGUAGE: 'C' };

/**
 * The child's output goes to unlinked files. Pipes would end a child that writes by SIGPIPE in the middle of a commit, when
 * their reader has died; and three of them take as long as half the start of a process. Descriptor 3 is where LVM writes its
 * reports, apart from its warnings.
 */
export function startChild(program: string, args: readonly string[], options: ChildOptions): Child {
  const { directory, stdin, fourth, env } = options;
  const files = [outputFile(directory), outputFile(directory), outputFile(directory)] as const;
  const close = () => files.forEach(closeSync);
  const [stdout, stderr, report] = files;
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      stdio: [stdin, stdout, stderr, report, ...(fourth === undefined ? [] : [fourth])],
      // No Ctrl-C reaches it.
      detached: true,
      env: { ...process.env, ...LOCALE, ...env },
    });
  } catch (error) {
    close();
    throw error;
  }
  const ended = new Promise<Finished>((resolve, reject) => {
    child.once('error', (cause) => reject(notStarted(program, cause)));
    child.once('exit', (status, signal) => {
      const code = status ?? killedBy(signal);
      resolve({ code, stdout: contents(stdout), stderr: contents(stderr), report: contents(report) });
    });
  }).finally(close);
  return { process: child, ended };
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
export function fileWith(directory: string, text: string): number {
  const file = outputFile(directory);
  writeSync(file, text, 0);
  return file;
}

function contents(file: number): string {
  const buffer = Buffer.alloc(fstatSync(file).size);
  readSync(file, buffer, 0, buffer.length, 0);
  return buffer.toString();
}

export function notStarted(program: string, cause?: unknown) {
  // The program may well be there, but Deno was told to start none.
  if (cause instanceof Error && cause.name === 'NotCapable') return asSltvError(cause);
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
