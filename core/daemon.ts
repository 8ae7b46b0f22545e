// The daemon: composes what the config says, listens, and stops without leaving anything half-done.
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { activatedSockets } from './api/activation.ts';
import { addressesOf } from './api/addresses.ts';
import { createEventLog } from './api/event-log.ts';
import { serve } from './api/server.ts';
import { bringUp } from './bring-up.ts';
import { Cluster } from './capabilities/cluster.ts';
import { FORMAT } from './disks/entry.ts';
import { coreErrors } from './errors.ts';
import { type Behalf, createBehalf } from './kernel/behalf.ts';
import { EventTold } from './kernel/capability.ts';
import type { LoadOptions } from './kernel/loader.ts';
import { type OpenConfig, openConfig } from './kernel/open-config.ts';
import { createLog, type Log } from './log.ts';
import { feedWatchdog, notify } from './notify.ts';
import { tryLockFile } from './run.ts';
import { surviveUnhandled } from './unhandled.ts';

export interface DaemonOptions extends LoadOptions {
  /** Ends the daemon: SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  readonly stderr: { readonly isTTY?: boolean; write(text: string): unknown };
}

/** Milliseconds for the calls in hand, and for the whole stop: systemd and people wait no longer than five seconds. */
const GRACE = 3_000;
const LAST_MOMENT = 4_500;

/**
 * Runs until the signal fires, and then ends this process if its end is overdue. Errors: openConfig's, bringUp's and
 * serve's; `core/bad-socket` beside another daemon.
 */
export async function daemon(options: DaemonOptions): Promise<void> {
  const { signal, stderr } = options;
  const config = await openConfig(options);
  const log = daemonLog(config, stderr);
  const behalf = createBehalf();
  surviveUnhandled(behalf, log);
  using _deadline = endAt(signal, log);
  try {
    await live(config, options, { log, behalf });
    log.info('stopped');
  } catch (error) {
    if (!signal.aborted) throw error;
    log.info('stopped before it was ready', { error });
  }
}

interface Witness {
  readonly log: Log;
  readonly behalf: Behalf;
}

async function live(
  config: OpenConfig,
  { signal, env, builtins }: DaemonOptions,
  { log, behalf }: Witness,
): Promise<void> {
  const { listen: listeners, limits, runDir } = config.options;
  const { version } = builtins;
  const activated = activatedSockets(env, listeners);
  await using _alone = await aloneIn(runDir);
  log.info('starting', { version, config: config.source, pid: process.pid });
  const { booted, node, run } = await bringUp(config, { log, signal, isWriter: true, behalf });
  await using running = new AsyncDisposableStack();
  running.defer(() => booted.stop());
  const events = createEventLog({ life: randomUUID() });
  booted.on(EventTold, events.add);
  booted.provided(Cluster)?.join({ version, format: FORMAT, addresses: addressesOf(listeners, hostname()) });
  const server = await serve({ listeners, activated, limits, booted, node, version, events, log });
  running.defer(() => server.close(GRACE));

  const witness = { env, run, log };
  await notify('READY=1', witness);
  using _watchdog = feedWatchdog(witness);
  log.info('ready', { node: node.id, plugins: booted.describe().map(({ name }) => name) });
  await fired(signal);
  log.info('stopping');
  // Whoever waits for the daemon's end is told while the work goes on.
  await Promise.all([notify('STOPPING=1', witness), running.disposeAsync()]);
}

/** JSON lines, or text on a terminal. */
function daemonLog({ options: { log } }: OpenConfig, stderr: DaemonOptions['stderr']): Log {
  const format = log.format ?? (stderr.isTTY ? 'text' : 'json');
  return createLog({ level: log.level, format, write: (line) => void stderr.write(`${line}\n`) });
}

/** Ends the process when something, be it a plugin that does not let go, keeps it too long after the signal. */
function endAt(signal: AbortSignal, log: Log): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = setTimeout(() => {
      log.warn('stopped before everything had ended; commands that write go on by themselves');
      process.exit(0);
    }, LAST_MOMENT);
  };
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return {
    [Symbol.dispose]() {
      signal.removeEventListener('abort', begin);
      clearTimeout(timer);
    },
  };
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
