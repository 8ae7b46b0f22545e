// What kernel tests share: a log that is kept, and plugins made ready without a config.
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type BootOptions, boot } from '../../../core/kernel/boot.ts';
import { createBus } from '../../../core/kernel/bus.ts';
import { definitionOf, type SettledPlugin } from '../../../core/kernel/definition.ts';
import { isTrustedFolder } from '../../../core/kernel/trust.ts';
import { createLog, type Log } from '../../../core/log.ts';
import type { Runner } from '../../../core/run.ts';

export const node = { id: 'n1', machineId: '0'.repeat(32), bootId: 'b1', stateDir: '/nowhere', runDir: '/nowhere' };

const noProcess = () => {
  throw new Error('no test of the kernel starts a process');
};
export const run: Runner = {
  read: noProcess,
  write: noProcess,
  lines: noProcess,
  orphans: noProcess,
  quiet: noProcess,
};

/** A log whose lines are kept, as objects. */
export function keptLog(): { log: Log; lines: { level: string; message: string; plugin?: string }[] } {
  const lines: { level: string; message: string; plugin?: string }[] = [];
  return { lines, log: createLog({ level: 'debug', format: 'json', write: (line) => lines.push(JSON.parse(line)) }) };
}

/** A plugin with options as they are. */
export function settled(plugin: unknown, options: unknown = {}): SettledPlugin {
  const definition = definitionOf(plugin);
  if (typeof definition === 'string') throw new Error(definition);
  return { definition, options };
}

export function bootPlugins(plugins: readonly unknown[], more: Partial<BootOptions> = {}) {
  const { log } = keptLog();
  return boot({ plugins: plugins.map((plugin) => settled(plugin)), bus: createBus(log), node, run, log, ...more });
}

/** A folder that a config may be read from: below /tmp everything is refused. */
export async function trustedFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const home = [process.env.XDG_RUNTIME_DIR, homedir(), process.cwd()].find((path) => path && isTrustedFolder(path));
  if (home === undefined)
    throw new Error('neither the home folder nor this one is safe from other users: chmod go-w them');
  const path = await mkdtemp(join(home, '.sltv-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
