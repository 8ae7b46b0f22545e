// Locks that children have, and this process for them.
import { closeSync, fstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { coreErrors } from '../errors.ts';
import { flock } from './lock-file.ts';
import type { ReadyShells } from './ready.ts';

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
export function createChildLocks(directory: string, ready: ReadyShells | undefined) {
  const held = new Map<string, Hold>();

  function take(path: string, givesBack: boolean): Hold {
    const file = openSync(path, 'a+', 0o600);
    const taken = flock(file, ['--shared']).then((isTaken) => {
      if (!isTaken) throw coreErrors('tool-failed', `flock could not lock ${path}`);
      // Those that wait have the lock, too: a lock that is soon given back is none to wait with.
      if (!givesBack && !hold.isOver) ready?.keep(file);
    });
    const hold: Hold = { file, taken, users: 0, isOver: false };
    held.set(path, hold);
    return hold;
  }

  /** Nobody would find the lock on a file that was removed. */
  function holdOf(path: string, givesBack: boolean): Hold {
    const hold = held.get(path);
    if (hold && isFileAt(path, hold.file)) return hold;
    letGo(path);
    return take(path, givesBack);
  }

  /** From here on only living children have it. */
  function letGo(path: string): void {
    const hold = held.get(path);
    if (!hold) return;
    held.delete(path);
    hold.isOver = true;
    clearTimeout(hold.linger);
    ready?.drop(hold.file);
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
      const hold = holdOf(path, givesBack);
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
