// Tells systemd how the daemon fares.
import type { Environment } from './kernel/environment.ts';
import type { Log } from './log.ts';
import type { Runner } from './run.ts';

/** Milliseconds; systemd-notify waits until systemd has read it. */
const PATIENCE = 5_000;

/**
 * Says it where NOTIFY_SOCKET is set. Node can't write to a datagram socket of the file system, so systemd's own program
 * does; when it can't, the log says so and the daemon goes on.
 */
export async function notify(
  state: 'READY=1' | 'STOPPING=1',
  { env, run, log }: { readonly env: Environment; readonly run: Runner; readonly log: Log },
): Promise<void> {
  if (!env.NOTIFY_SOCKET) return;
  try {
    const options = { signal: AbortSignal.timeout(PATIENCE), timeout: PATIENCE };
    const { code, stderr } = await run.read('systemd-notify', [`--pid=${process.pid}`, state], options);
    if (code !== 0) log.warn('systemd could not be told', { state, because: stderr.trim() });
  } catch (error) {
    log.warn('systemd could not be told', { state, error });
  }
}
