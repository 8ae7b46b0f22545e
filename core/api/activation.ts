// Listening sockets that systemd opened before this process was there, and keeps when it ends (sltv.socket): a client that
// connects meanwhile waits instead of being refused.
import { readFileSync, readlinkSync } from 'node:fs';
import { coreErrors } from '../errors.ts';
import type { CoreOptions } from '../kernel/config.ts';
import type { Environment } from '../kernel/environment.ts';

/** Descriptors by the paths that they listen at. */
export type Activated = ReadonlyMap<string, number>;

/** The first that sd_listen_fds(3) passes on. */
const FIRST = 3;
/** A line of /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path. */
const SOCKET = /^\w+: \w+ \w+ (?<flags>\w+) (?<type>\w+) \w+ +(?<inode>\d+) (?<path>\/.*)$/;
const STREAM = 0x1;
const ACCEPTS = 0x10000;

/**
 * What systemd passed on to this process, each of which some listener has to want: on one that nobody serves clients would
 * wait for ever. Errors: `core/bad-socket`.
 */
export function activatedSockets(env: Environment, listeners: CoreOptions['listen']): Activated {
  const wanted = listeners.flatMap((listener) => ('unix' in listener ? [listener.unix] : []));
  const activated = new Map<string, number>();
  if (Number(env.LISTEN_PID) !== process.pid) return activated;
  const names = env.LISTEN_FDNAMES?.split(':') ?? [];
  for (let n = 0; n < Number(env.LISTEN_FDS); n += 1) {
    const unit = names[n] || 'sltv.socket';
    const path = pathOf(FIRST + n);
    if (path === undefined) throw unusable(unit);
    if (!wanted.includes(path)) throw unwanted(unit, path, wanted);
    activated.set(path, FIRST + n);
  }
  return activated;
}

/** Undefined for what is no listening stream socket at a path. Node knows no name of a socket that it did not make. */
function pathOf(descriptor: number): string | undefined {
  const inode = /^socket:\[(\d+)\]$/.exec(linkOf(descriptor))?.[1];
  if (inode === undefined) return undefined;
  for (const line of readFileSync('/proc/net/unix', 'utf8').split('\n')) {
    const socket = SOCKET.exec(line)?.groups;
    if (socket?.inode !== inode) continue;
    const isListening = Number(`0x${socket?.type}`) === STREAM && (Number(`0x${socket?.flags}`) & ACCEPTS) !== 0;
    return isListening ? socket?.path : undefined;
  }
  return undefined;
}

function linkOf(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

const unusable = (unit: string) =>
  coreErrors('bad-socket', `systemd passed on something (${unit}) that is no listening Unix socket`, {
    hint: `systemctl edit --full ${unit}: each ListenStream= is a path that the config has under listen; TCP ports the daemon opens itself`,
  });

const unwanted = (unit: string, path: string, wanted: readonly string[]) =>
  coreErrors('bad-socket', `systemd listens on ${path} (${unit}), where the config has no listener`, {
    hint: `let ListenStream= be ${wanted.join(' or ') || 'what the config has under listen'} (systemctl edit --full ${unit}), or do without: systemctl disable --now ${unit}`,
  });
