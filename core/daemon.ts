// The daemon: composes what the config says, listens, and stops without leaving anything half-done.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { serve } from './api/server.ts';
import { bringUp } from './bring-up.ts';
import { coreErrors } from './errors.ts';
import type { LoadOptions } from './kernel/loader.ts';
import { openConfig } from './kernel/open-config.ts';
import type { Settled } from './kernel/settle.ts';
import { createLog, type Log } from './log.ts';
import { notify } from './notify.ts';
import { tryLockFile } from './run.ts';

export interface DaemonOptions extends LoadOptions {
  /** Ends the daemon: SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  readonly stderr: { readonly isTTY?: boolean; write(text: string): unknown };
}

/** Milliseconds for the calls in hand, and for the whole stop: systemd and people wait no longer than five seconds. */
const GRACE = 3_000;
const LAST_MOMENT = 4_500;

/** Runs until the signal fires. Errors: openConfig's, bringUp's and serve's; `core/bad-socket` beside another daemon. */
export async function daemon(options: DaemonOptions): Promise<void> {
  const { signal, env, builtins, stderr } = options;
  const config = await openConfig(options);
  const { listen: listeners, runDir } = config.options;
  const log = daemonLog(config, stderr);
  const { version } = builtins;

  await using _alone = await aloneIn(runDir);
  log.info('starting', { version, config: config.source, pid: process.pid });
  // Guests depend on this process: a plugin that drops a promise is told of, and ends nothing.
  process.on('unhandledRejection', (error) => log.error('a failure was left unhandled', { error }));
  const { booted, node, run } = await bringUp(config, { log, signal, isWriter: true });
  await using running = new AsyncDisposableStack();
  running.defer(() => booted.stop());
  const server = await serve({ listeners, booted, node, version, log });
  running.defer(() => server.close(GRACE));

  await notify('READY=1', { env, run, log });
  log.info('ready', { node: node.id, plugins: booted.describe().map(({ name }) => name) });
  await fired(signal);
  log.info('stopping');
  // Whoever waits for the daemon's end is told at once, and the work goes on meanwhile.
  const told = notify('STOPPING=1', { env, run, log });
  const ended = await within(LAST_MOMENT, Promise.all([told, running.disposeAsync()]));
  if (ended) log.info('stopped');
  else log.warn('stopped before everything had ended; commands that write go on by themselves');
}

/** JSON lines, or text on a terminal; a log that nobody reads any more stops no daemon. */
function daemonLog({ options: { log } }: Settled, stderr: DaemonOptions['stderr']): Log {
  const format = log.format ?? (stderr.isTTY ? 'text' : 'json');
  return createLog({ level: log.level, format, write: (line) => void stderr.write(`${line}\n`) });
}

/** Two daemons over one run directory would each believe in being the only writer. */
async function aloneIn(runDir: string): Promise<AsyncDisposable> {
  await mkdir(runDir, { recursive: true, mode: 0o755 });
  const lock = await tryLockFile(join(runDir, 'daemon.lock'));
  if (lock) return lock;
  throw coreErrors('bad-socket', `another sltv daemon runs with the directory ${runDir}`, {
    hint: 'systemctl status sltv; a second daemon on one host needs a runDir, a stateDir and a socket of its own',
  });
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Whether the work ended in time. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), milliseconds);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
