// A daemon of the built executable to measure, in folders of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../core/client/index.ts';
import { commandsOf } from './commands-of.ts';
import { EXECUTABLE, ROOT } from './measure.ts';

export interface Daemon extends AsyncDisposable {
  readonly addr: string;
  readonly client: Client;
  /** Resident memory, bytes. */
  memory(): number;
  /** Processor time, milliseconds, by itself and by the processes that it started and that have ended. */
  processorTime(): { readonly own: number; readonly children: number };
  /** How many commands of it run now. */
  commands(): number;
}

/** A directory that only its owner can write, as the loader wants a config's to be; gone when it is disposed of. */
export function makeDirectory(): Disposable & { readonly path: string } {
  const parent = join(ROOT, '.cache/bench');
  mkdirSync(parent, { recursive: true });
  const path = mkdtempSync(join(parent, 'd'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts a daemon with these plugins, as a config writes them, and waits until it answers. */
export async function startDaemon(
  directory: string,
  plugins: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Daemon> {
  const config = join(directory, 'sltv.config.ts');
  const socket = join(directory, 's');
  writeFileSync(config, configText(directory, socket, plugins), { mode: 0o600 });
  const log = join(directory, 'log');
  const output = openSync(log, 'w');
  const child = spawn(EXECUTABLE, ['daemon', '--config', config], {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  const client = connect({ addr: `unix://${socket}` });
  try {
    await answered(client, () => child.exitCode !== null);
  } catch (error) {
    await stop();
    throw new Error(`the daemon did not come up:\n${readFileSync(log, 'utf8')}`, { cause: error });
  }
  const memory = () => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  };
  const processorTime = () => {
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    const [user = 0, system = 0, ofChildren = 0, systemOfChildren = 0] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map((ticks) => Number(ticks) * TICK);
    return { own: user + system, children: ofChildren + systemOfChildren };
  };
  const commands = () => commandsOf(child.pid ?? '').length;
  return { addr: client.addr, client, memory, processorTime, commands, [Symbol.asyncDispose]: stop };
}

/** Milliseconds: USER_HZ is 100 on every Linux of today. */
const TICK = 10;

const configText = (directory: string, socket: string, plugins: string) => `
import { defineConfig } from 'sltv';
import autoextend, { ahead } from 'sltv/autoextend';
import dir from 'sltv/dir';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';

export default defineConfig({
  listen: [{ unix: '${socket}' }],
  stateDir: '${directory}/state',
  runDir: '${directory}/run',
  nodeId: 'bench',
  plugins: [${plugins}],
});
`;

/** Asks until it answers: a socket that isn't there yet can't be waited for. */
async function answered(client: Client, isGone: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      await client.sltv.getNodeStatus({ timeout: 1000 });
      return;
    } catch (error) {
      if (isGone() || performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
}
