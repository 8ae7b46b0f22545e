// Tells systemd how the daemon fares.
import type { Environment } from './kernel/environment.ts';
import type { Log } from './log.ts';
import type { Runner } from './run.ts';

export interface Witness {
  readonly env: Environment;
  readonly run: Runner;
  readonly log: Log;
}

/**
 * Milliseconds; systemd-notify waits until systemd has read it. On a host that is too busy that takes long, and a daemon whose word
 * is lost is ended: only its end waits for nothing.
 */
const PATIENCE = { 'READY=1': 60_000, 'WATCHDOG=1': 60_000, 'STOPPING=1': 5_000 };

/**
 * Says it where NOTIFY_SOCKET is set. Node can't write to a datagram socket of the file system, so systemd's own program
 * does; when it can't, the log says so and the daemon goes on.
 */
export async function notify(state: keyof typeof PATIENCE, { env, run, log }: Witness): Promise<void> {
  if (!env.NOTIFY_SOCKET) return;
  try {
    const timeout = PATIENCE[state];
    const options = { signal: AbortSignal.timeout(timeout), timeout };
    const { code, stderr } = await run.read('systemd-notify', [`--pid=${process.pid}`, state], options);
    if (code !== 0) log.warn('systemd could not be told', { state, because: stderr.trim() });
  } catch (error) {
    log.warn('systemd could not be told', { state, error });
  }
}

/**
 * Tells systemd's watchdog, where the unit has one, that this process still turns: from a timer, so that an event loop that
 * hangs says nothing. Until disposed of.
 */
export function feedWatchdog(witness: Witness): Disposable {
  const period = watchdogPeriod(witness.env);
  if (period === undefined) return { [Symbol.dispose]() {} };
  // One that is late or lost is not yet the end.
  const timer = setInterval(() => void notify('WATCHDOG=1', witness), period / 3);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Milliseconds within which the watchdog wants to hear of this process; undefined where it waits for none, or for another. */
function watchdogPeriod({ WATCHDOG_USEC: microseconds = '', WATCHDOG_PID: pid }: Environment): number | undefined {
  const isOurs = !pid || Number(pid) === process.pid;
  return isOurs && /^[1-9]\d*$/.test(microseconds) ? Number(microseconds) / 1000 : undefined;
}
