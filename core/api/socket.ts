// A Unix socket at a path, with its owner and mode from the first moment, and never in the place of a living one.
import { once } from 'node:events';
import { chmodSync, chownSync, lstatSync, type Stats } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { coreErrors, type SltvError } from '../errors.ts';

export interface SocketOptions {
  readonly path: string;
  /** By name or number; without one the socket keeps the daemon's own. */
  readonly group?: string | undefined;
  /** Permission bits. */
  readonly mode: number;
}

/** Takes the path away again; to be called while the server still listens, so that nobody else can have it. */
export type Release = () => Promise<void>;

/**
 * Lets the server listen at the path. A missing folder is made; a socket that nobody answers on is replaced.
 * Errors: `core/bad-socket` for one that is answered on, for a file in its place, and for a path that can't be a socket's;
 * `core/config` for a group that isn't there; `core/denied`.
 */
export async function listenAt({ path, group, mode }: SocketOptions, server: Server): Promise<Release> {
  const gid = group === undefined ? undefined : await groupId(group);
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    // Made with mode 0700, so that nobody comes near the socket before it has its owner and mode.
    const workshop = await mkdtemp(join(folder, prefixOf(path)));
    try {
      const fresh = join(workshop, 's');
      mustFit(path, fresh);
      server.listen(fresh);
      await once(server, 'listening');
      if (gid !== undefined) chownSync(fresh, -1, gid);
      chmodSync(fresh, mode);
      const ours = lstatSync(fresh);
      await putInPlace(fresh, path, workshop);
      return async () => {
        if (isSame(await lstat(path).catch(() => undefined), ours)) await unlink(path);
      };
    } finally {
      await rm(workshop, { recursive: true, force: true });
    }
  } catch (error) {
    server.close();
    throw inOurWords(error, path);
  }
}

/**
 * Lets the server take over a socket that listens at the path already, in a descriptor that this process inherited; its group and
 * mode become those of the config. Its path stays when the server ends: whoever made it still listens.
 * Errors: `core/bad-socket` for a path that has gone; `core/config` for a group that isn't there; `core/denied`.
 */
export async function takeOver(
  { path, group, mode }: SocketOptions,
  descriptor: number,
  server: Server,
): Promise<Release> {
  const gid = group === undefined ? undefined : await groupId(group);
  try {
    if (gid !== undefined) chownSync(path, -1, gid);
    chmodSync(path, mode);
    server.listen({ fd: descriptor });
    await once(server, 'listening');
    return async () => {};
  } catch (error) {
    server.close();
    throw codeOf(error) === 'ENOENT' ? lost(path, error) : inOurWords(error, path);
  }
}

const lost = (path: string, cause: unknown) =>
  coreErrors('bad-socket', `systemd listens on ${path}, and no client finds it: the file is gone`, {
    hint: 'systemctl stop sltv, then: systemctl restart sltv.socket && systemctl start sltv',
    cause,
  });

/** Linux: `sun_path` less its terminating zero; clients have to fit into it too. */
const LONGEST_PATH = 107;

function mustFit(...paths: string[]): void {
  const longest = Math.max(...paths.map((path) => Buffer.byteLength(path)));
  if (longest <= LONGEST_PATH) return;
  throw coreErrors('bad-socket', `${paths[0]} is too long for a socket's path`, {
    hint: `choose one that is ${longest - LONGEST_PATH} bytes shorter, such as /run/sltv/sltvd.sock`,
  });
}

/**
 * Of daemons that start at once at most one gets here: each has its own socket in the folder before it looks for others',
 * so of any two at least one sees the other and gives up. Who looks later finds the path taken.
 */
async function putInPlace(fresh: string, path: string, workshop: string): Promise<void> {
  const folder = dirname(path);
  const workshops = (await readdir(folder)).filter((name) => name.startsWith(prefixOf(path)));
  for (const name of workshops) {
    if (join(folder, name) !== workshop && (await isAnswered(join(folder, name, basename(fresh))))) throw taken(path);
  }
  const present = await lstat(path).catch(() => undefined);
  if (present && !present.isSocket()) {
    throw coreErrors('bad-socket', `${path} is there and is not a socket`, {
      hint: 'move it away, or choose another path under listen in sltv.config.ts',
    });
  }
  if (present && (await isAnswered(path))) throw taken(path);
  await rename(fresh, path);
}

const prefixOf = (path: string) => `.${basename(path)}.`;

/** Only a socket that certainly nobody listens on counts as dead: a full queue or a closed door has somebody behind it. */
async function isAnswered(path: string): Promise<boolean> {
  const refusal = await new Promise<unknown>((resolve) => {
    const probe = connect(path, () => {
      resolve(undefined);
      probe.destroy();
    });
    probe.on('error', resolve);
  });
  return !['ECONNREFUSED', 'ENOENT', 'ENOTDIR'].includes(codeOf(refusal));
}

const taken = (path: string) =>
  coreErrors('bad-socket', `another daemon answers on ${path}`, {
    hint: 'stop it first (systemctl stop sltv), or choose another path under listen in sltv.config.ts',
  });

async function groupId(group: string): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  const line = (await readFile('/etc/group', 'utf8')).split('\n').find((each) => each.startsWith(`${group}:`));
  const id = line?.split(':')[2];
  if (id !== undefined) return Number(id);
  throw coreErrors('config', `there is no group ${group} in /etc/group`, {
    hint: `groupadd --system ${group}, or choose another group under listen in sltv.config.ts`,
  });
}

const isSame = (a: Stats | undefined, b: Stats): boolean => a?.ino === b.ino && a.dev === b.dev;

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

function inOurWords(error: unknown, path: string): unknown {
  return WORDS[codeOf(error)]?.(path, error) ?? error;
}

const forbidden = (path: string, cause: unknown) =>
  coreErrors('denied', `the daemon may not make the socket ${path}`, {
    hint: 'run it as root, or choose a folder that it may write to under listen in sltv.config.ts',
    cause,
  });

const blocked = (path: string, cause: unknown) =>
  coreErrors('bad-socket', `a part of ${path} is a file where a folder has to be`, {
    hint: 'choose another path under listen in sltv.config.ts',
    cause,
  });

const WORDS: Readonly<Record<string, (path: string, cause: unknown) => SltvError>> = {
  EACCES: forbidden,
  EPERM: forbidden,
  EROFS: forbidden,
  ENOTDIR: blocked,
  EEXIST: blocked,
};
