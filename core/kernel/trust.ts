// The config is code that root runs: it is read only where nobody but root or the daemon's own user can write.
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { coreErrors, type SltvError } from '../errors.ts';

/** A file's text, and where it really is. */
export interface Trusted {
  readonly path: string;
  readonly text: string;
}

/**
 * Reads a file that may be run. What is judged is what was opened, and every folder above it, by the name it was given
 * and by its real one. Errors: `core/config-untrusted` with the chmod or chown, `core/config-missing`, `core/denied`.
 */
export function readTrusted(path: string): Trusted {
  const real = translated(path, () => realpathSync(path));
  // Not blocking, so that a FIFO by that name does not stop the daemon for ever.
  const file = translated(path, () => openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  try {
    const facts = fstatSync(file);
    if (!facts.isFile())
      throw coreErrors('config', `${path} is not a file`, { hint: 'name the file itself: …/sltv.config.ts' });
    distrust(real, facts);
    for (const folder of new Set([...foldersAbove(real), ...foldersAbove(path)])) distrust(folder, statSync(folder));
    return { path: real, text: readFileSync(file, 'utf8') };
  } finally {
    closeSync(file);
  }
}

/** Whether nobody else can change what is in a folder; false when it isn't there. */
export function isTrustedFolder(path: string): boolean {
  try {
    const real = realpathSync(path);
    for (const folder of [real, ...foldersAbove(real)]) distrust(folder, statSync(folder));
    return true;
  } catch {
    return false;
  }
}

const OTHERS_WRITE = 0o022;

/** Throws when others can write. A sticky folder such as /tmp counts: anybody may put a file there first. */
function distrust(path: string, { uid, mode }: Stats): void {
  const self = process.geteuid?.() ?? 0;
  if (uid !== 0 && uid !== self) {
    const owners = self === 0 ? 'root' : `root or user ${self}`;
    throw untrusted(
      `${path} belongs to user ${uid}, and a config is code that only ${owners} may change`,
      `chown root ${path}`,
    );
  }
  if ((mode & OTHERS_WRITE) === 0) return;
  const isSticky = (mode & constants.S_IFMT) === constants.S_IFDIR && (mode & STICKY) !== 0;
  throw untrusted(
    `${path} can be written by others, and a config is code that the daemon runs`,
    isSticky ? `keep the config elsewhere, such as in /etc/sltv` : `chmod go-w ${path}`,
  );
}

const STICKY = 0o1000;

function untrusted(message: string, hint: string): SltvError {
  return coreErrors('config-untrusted', message, { hint });
}

function foldersAbove(path: string): readonly string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}

function translated<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'EACCES' || code === 'EPERM') {
      throw coreErrors('denied', `${path} can't be read by this user`, { hint: 'run it as root', cause });
    }
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw coreErrors('config-missing', `there is no file ${path}`, {
        hint: 'correct the path, or create the file',
        cause,
      });
    }
    throw coreErrors('config', `${path} can't be opened: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
