// Where a host's disks live while it does, and its console and logs for some time after.
import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from './bootfiles.ts';

/** Logs are small: the last ones stay, whether or not their test knew that it failed. */
const KEPT = 30;
const DISKS = 'disks';

/** Makes `.cache/testbed/run/NAME-PID-N`; hosts whose process is gone lose their disks, the oldest their logs too. */
export function makeRunDirectory(name: string): string {
  mkdirSync(paths.runs, { recursive: true });
  sweep();
  for (let n = 1; ; n += 1) {
    const directory = join(paths.runs, `${name}-${process.pid}-${n}`);
    try {
      mkdirSync(directory);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue;
      throw error;
    }
    mkdirSync(join(directory, DISKS));
    return directory;
  }
}

/** The file of one of its disks. */
export function diskFile(directory: string, name: string): string {
  return join(directory, DISKS, `${name}.img`);
}

/** Gives the space of its disks back; console and logs stay. */
export function removeDisks(directory: string): void {
  rmSync(join(directory, DISKS), { recursive: true, force: true });
}

/** Adds to the account of what was done in the host. */
export function record(directory: string, text: string): void {
  appendFileSync(join(directory, 'transcript.log'), text.endsWith('\n') ? text : `${text}\n`);
}

function sweep(): void {
  const abandoned = readdirSync(paths.runs).filter((name) => !isAlive(Number(/-(\d+)-\d+$/.exec(name)?.[1])));
  const newestFirst = abandoned
    .map((name) => join(paths.runs, name))
    .flatMap((path) => modified(path))
    .toSorted((a, b) => b.at - a.at);
  for (const [n, { path }] of newestFirst.entries()) {
    if (n < KEPT) removeDisks(path);
    else rmSync(path, { recursive: true, force: true });
  }
}

/** Nothing when another process swept it away in this moment. */
function modified(path: string): { path: string; at: number }[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? [] : [{ path, at: stat.mtimeMs }];
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
