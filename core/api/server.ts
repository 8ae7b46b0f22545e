// The daemon's doors: every listener of the config, with every protocol on it.
import type { CoreOptions } from '../kernel/config.ts';
import { createCalls } from './calls.ts';
import { createFront, type Front } from './front.ts';
import type { Daemon } from './handlers/daemon.ts';
import { createRoutes } from './routes.ts';
import { listenAt, type Release } from './socket.ts';

export interface ServeOptions extends Daemon {
  readonly listeners: CoreOptions['listen'];
}

export interface Served {
  /** Stops accepting, waits `graceMs` for the calls in hand, cancels and closes what is left then. */
  close(graceMs: number): Promise<void>;
}

/**
 * Opens all listeners, or none. Errors: `core/bad-socket` and `core/denied` for a path that can't be had, `core/config` for
 * a group that isn't there.
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { listeners, log, booted } = options;
  const calls = createCalls({ booted, log });
  const routes = createRoutes(options, calls);
  const doors: { readonly front: Front; readonly release: Release }[] = [];
  const close = async (graceMs: number) => {
    const stopped = calls.stop(graceMs);
    await Promise.all(doors.map(({ release }) => release()));
    for (const { front } of doors) front.stopAccepting();
    await stopped;
    await withinMoments(Promise.all(doors.map(({ front }) => front.written())));
    for (const { front } of doors) front.destroy();
  };
  try {
    for (const listener of listeners) {
      const { unix: path, group, mode, role } = listener;
      const front = createFront((request, response) => routes(request, response, { name: `unix:${path}`, role }));
      doors.push({ front, release: await listenAt({ path, group, mode }, front.server) });
      log.info('listening', { path, group, mode: mode.toString(8), role });
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  return { close };
}

/** Milliseconds that a client may take to read the last of its answer. */
const LAST_WORDS = 500;

async function withinMoments(work: Promise<unknown>): Promise<void> {
  const moments = Promise.withResolvers<void>();
  const timer = setTimeout(moments.resolve, LAST_WORDS);
  await Promise.race([work, moments.promise]);
  clearTimeout(timer);
}
