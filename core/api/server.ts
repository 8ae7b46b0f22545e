// The daemon's doors: every listener of the config, with every protocol on it.
import type { CoreOptions, Limits } from '../kernel/config.ts';
import { patiently } from '../patiently.ts';
import type { Activated } from './activation.ts';
import { createCalls } from './calls.ts';
import type { Door, House } from './door.ts';
import type { Daemon } from './handlers/daemon.ts';
import { createHealth } from './health.ts';
import { createLoad } from './load.ts';
import { createRoutes } from './routes.ts';
import { SERVICES } from './services.ts';
import { openUnixDoor } from './unix-door.ts';

export interface ServeOptions extends Omit<Daemon, 'remarks' | 'messageSize'> {
  readonly listeners: CoreOptions['listen'];
  /** Of these, what systemd listens on already. */
  readonly activated?: Activated;
  readonly limits: Limits;
}

export interface Served {
  /** Stops accepting, waits `graceMs` for the calls in hand, cancels and closes what is left then. */
  close(graceMs: number): Promise<void>;
}

/**
 * Opens all listeners, or none. Errors: `core/bad-socket` and `core/denied` for a path or port that can't be had,
 * `core/config` for a group or address that isn't there, `core/tls-file`.
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { listeners, activated, limits, log, booted } = options;
  const calls = createCalls({ booted, log });
  const health = createHealth(SERVICES.map(({ typeName }) => typeName));
  const doors: Door[] = [];
  const remarks = () => doors.flatMap((door) => door.remarks());
  const answer = createRoutes({ ...options, remarks, messageSize: limits.messageSize }, calls, health);
  const house: House = { answer, limits, load: createLoad(limits.calls), log };
  const close = async (graceMs: number) => {
    health.stop();
    const stopped = calls.stop(graceMs);
    await Promise.all(doors.map((door) => door.release()));
    for (const door of doors) door.stopAccepting();
    await stopped;
    await patiently(Promise.all(doors.map((door) => door.written())), [], LAST_WORDS);
    for (const door of doors) door.destroy();
  };
  try {
    for (const listener of listeners) {
      if ('unix' in listener) doors.push(await openUnixDoor(listener, house, activated?.get(listener.unix)));
      // Most hosts have none, and need no TLS.
      else doors.push(await (await import('./tcp-door.ts')).openTcpDoor(listener, house));
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  health.ready();
  return { close };
}

/** Milliseconds that a client may take to read the last of its answer. */
const LAST_WORDS = 500;
