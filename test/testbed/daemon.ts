// The built executable as a daemon inside a host.
import type { Host } from './index.ts';

export interface DaemonOptions {
  /** Words after `sltv daemon`. */
  readonly args?: string;
  /** Set for it alone: `PATH=/shims:$PATH`. */
  readonly env?: string;
}

export interface Daemon {
  readonly pid: string;
  /** kill -9, and it is gone when this returns. Its children live on. */
  kill(): Promise<void>;
  /** SIGTERM; its status. */
  stop(): Promise<number>;
  /** What it has logged, this life and earlier ones of the same host boot. */
  log(): Promise<string>;
}

const LOG = '/var/log/sltv.log';

/** Starts `sltv daemon` and waits until it answers. */
export async function startDaemon(host: Host, { args = '', env = '' }: DaemonOptions = {}): Promise<Daemon> {
  const stream = host.start(`echo $$; ${env} exec sltv daemon ${args} >> ${LOG} 2>&1`);
  await host.run(
    `for n in $(seq 600); do sltv status > /dev/null 2>&1 && exit 0; sleep 0.1; done; tail -20 ${LOG}; exit 1`,
    {
      timeout: 120_000,
    },
  );
  const pid = stream.seen[0] ?? '';
  return {
    pid,
    async kill() {
      await host.run(`kill -9 ${pid}`);
      await stream.ended;
    },
    async stop() {
      await host.run(`kill -TERM ${pid}`);
      return (await stream.ended).code;
    },
    log: async () => (await host.run(`cat ${LOG}`)).stdout,
  };
}
