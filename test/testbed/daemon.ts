// The built executable as a daemon inside a host.
import type { Host, Stream } from './index.ts';

export interface DaemonOptions {
  /** Words after `sltv daemon`. */
  readonly args?: string;
  /** Set for it alone: `PATH=/shims:$PATH`. */
  readonly env?: string;
  /** Done when it has begun to start, before it is waited for; given what it logs. */
  readonly meanwhile?: (log: Stream) => Promise<unknown>;
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

/**
 * For `testbed.host({ files })`: the built-in config without what grows disks by itself, for tests that count commands and
 * hold sizes to what was asked.
 */
export const GROWN_BY_HAND = grownByHand('');

/** The same with time for a libvirt whose host is busy, for tests in which no VM hangs. */
export const GROWN_PATIENTLY = grownByHand('{ deadlines: { statistics: 30_000, alone: 30_000 } }');

function grownByHand(libvirt: string) {
  return {
    '/etc/sltv/sltv.config.ts': `
import { defineConfig } from 'sltv';
import dir from 'sltv/dir';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';
export default defineConfig({ plugins: [lvm(), dir(), libvirt(${libvirt}), localLock()] });
`,
  };
}

/** Starts `sltv daemon` and waits until it answers. */
export async function startDaemon(
  host: Host,
  { args = '', env = '', meanwhile = async () => {} }: DaemonOptions = {},
): Promise<Daemon> {
  const stream = host.start(`echo $$; exec > >(tee -a ${LOG}) 2>&1; ${env} exec sltv daemon ${args}`);
  await stream.line(/\bstarting\b/, { timeout: 180_000 });
  await Promise.all([meanwhile(stream), stream.line(/\bready\b/, { timeout: 300_000 })]);
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
