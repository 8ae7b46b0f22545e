// One host of a storm, seen from outside: its daemon, a process of its own, the lvm that this has started, and what can
// happen to both.
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Place } from '../../core/capabilities/cluster.ts';
import { type Stall, stallOf } from '../plugins/lvm/stall.ts';
import type { Protection } from './daemon.ts';
import type { Ground } from './ground.ts';
import type { Asked, Told, Witness } from './talk.ts';
import { layWires, type Wires } from './wire.ts';
import type { WorkerSettings } from './worker.ts';

export interface HostOptions {
  readonly ground: Ground;
  readonly name: string;
  readonly seed: string;
  readonly protection: Protection;
  /** Of etcd's members. */
  readonly endpoints: readonly string[];
  readonly ttl: number;
  readonly lanes: number;
  readonly names: readonly string[];
}

export type Host = Awaited<ReturnType<typeof createHost>>;

export async function createHost(options: HostOptions) {
  const { ground, name, protection } = options;
  const system = await ground.host(name);
  const wires: Wires = await layWires(options.endpoints);
  const stall: Stall = await stallOf(ground, name);
  const ledger = join(ground.directory, `${name}.ledger`);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let bootId = randomUUID();
  let life = 0;
  let asked = 0;
  let daemon: ChildProcess | undefined;
  let up = Promise.withResolvers<void>();

  function settings(): WorkerSettings {
    // Without locks all hosts take themselves for one.
    const machineId = protection === 'none' ? 'one' : name;
    return {
      node: { id: name, machineId, bootId, stateDir: join(system, 'state'), runDir: join(system, 'run') },
      ...{ vg: ground.vg, protection, endpoints: wires.endpoints, ttl: options.ttl },
      ...{ seed: options.seed, life, ledger, log: join(ground.directory, `${name}.log`) },
      ...{ lanes: options.lanes, names: options.names },
    };
  }

  function start(): void {
    if (daemon) return;
    life += 1;
    const begun = Promise.withResolvers<void>();
    // Nobody may be waiting for it.
    begun.promise.catch(() => {});
    up = begun;
    const words = openSync(join(ground.directory, `${name}.out`), 'a');
    const child = fork(join(import.meta.dirname, 'worker.ts'), [JSON.stringify(settings())], {
      env: { ...process.env, LVM_SYSTEM_DIR: system, LVM_SUPPRESS_FD_WARNINGS: '1' },
      stdio: ['ignore', words, words, 'ipc'],
    });
    closeSync(words);
    daemon = child;
    child.on('message', (told: Told) => {
      if (told.id === 0) return begun.resolve();
      const answer = waiting.get(told.id);
      if ('error' in told) answer?.reject(new HostError(name, told.error));
      else answer?.resolve(told.value);
    });
    child.once('exit', () => {
      if (daemon === child) daemon = undefined;
      for (const answer of waiting.values())
        answer.reject(new HostError(name, { code: 'gone', message: 'it is down' }));
    });
  }

  /** Errors: HostError, what the daemon says, or that it is down or silent. */
  async function ask(what: Asked['ask'], place?: Place): Promise<unknown> {
    asked += 1;
    const id = asked;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    const silence = new HostError(name, { code: 'silent', message: `no answer to '${what}'` });
    const deadline = setTimeout(() => answer.reject(silence), PATIENCE);
    try {
      if (!daemon?.connected) throw new HostError(name, { code: 'gone', message: 'it is down' });
      daemon.send({ id, ask: what, place } satisfies Asked);
      return await answer.promise;
    } finally {
      clearTimeout(deadline);
      waiting.delete(id);
    }
  }

  /** Processes of lvm that this host has started and that have not ended. */
  async function children(): Promise<number[]> {
    const found: number[] = [];
    for (const pid of await readdir('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      if ((await read('comm')) !== 'lvm\n') continue;
      if ((await read('environ')).includes(`LVM_SYSTEM_DIR=${system}\0`)) found.push(Number(pid));
    }
    return found;
  }

  async function killDaemon(): Promise<void> {
    if (!daemon) return;
    const ended = once(daemon, 'exit');
    daemon.kill('SIGKILL');
    await ended;
  }

  return {
    ...{ name, ledger, wires, stall, start, ask, children, killDaemon },
    place: (): Place => ({ node: name, boot: bootId }),
    isDown: () => daemon === undefined,
    async untilUp(): Promise<void> {
      const silence = new HostError(name, { code: 'silent', message: 'it does not come up' });
      const deadline = setTimeout(() => up.reject(silence), PATIENCE);
      await up.promise.finally(() => clearTimeout(deadline));
    },
    signalDaemon: (signal: 'SIGSTOP' | 'SIGCONT') => daemon?.kill(signal) ?? false,
    /** Nothing of it runs any more, and when it is started again it is in another boot. */
    async cutPower(): Promise<void> {
      await killDaemon();
      for (const pid of await children()) kill(pid, 'SIGKILL');
      await stall.end();
      while ((await children()).length > 0) await sleep(5);
      await rm(join(system, 'run'), { recursive: true, force: true });
      bootId = randomUUID();
    },
    witness: async () => (await ask('witness')) as Witness, // as worker.ts answers
    async [Symbol.asyncDispose](): Promise<void> {
      daemon?.kill('SIGCONT');
      await killDaemon();
      for (const pid of await children()) kill(pid, 'SIGCONT');
      await stall.end();
      for (const end = Date.now() + PATIENCE; (await children()).length > 0 && Date.now() < end; ) await sleep(20);
      await stall[Symbol.asyncDispose]();
      await wires[Symbol.asyncDispose]();
    },
  };
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** Milliseconds. */
const PATIENCE = 30_000;

export class HostError extends Error {
  readonly code: string;

  constructor(host: string, { code, message }: { readonly code: string; readonly message: string }) {
    super(`${host}: ${message} [${code}]`);
    this.name = 'HostError';
    this.code = code;
  }
}
