// Simulated hosts on one VG and one etcd, seen from outside.
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Place } from '../../core/capabilities/cluster.ts';
import type { DaemonOptions } from '../../test/storm/daemon.ts';
import type { Ground } from '../../test/storm/ground.ts';
import type { Ask, Asked, Told } from './host.ts';

export interface Host extends AsyncDisposable {
  /** Resolves when its daemon is up. */
  start(): Promise<void>;
  ask(ask: Ask): Promise<void>;
  /** Resolves while an lvm of this host commits. */
  commits(): Promise<void>;
  killDaemon(): Promise<void>;
  /** Nothing of it runs any more, and when it is started again it is in another boot; answers with the one that is over. */
  cutPower(): Promise<Place>;
}

export interface HostOptions {
  readonly ground: Ground;
  readonly name: string;
  readonly endpoints: readonly string[];
  /** Seconds. */
  readonly ttl: number;
}

interface Command {
  readonly pid: number;
  readonly words: readonly string[];
}

export async function createHost({ ground, name, endpoints, ttl }: HostOptions): Promise<Host> {
  const system = await ground.host(name);
  const waiting = new Map<number, PromiseWithResolvers<void>>();
  let boot = randomUUID();
  let asked = 0;
  let daemon: ChildProcess | undefined;

  /** The answer to the question of this number. Errors: what the daemon says, that it has ended, or that it is silent. */
  async function answerTo(id: number): Promise<void> {
    const answer = Promise.withResolvers<void>();
    waiting.set(id, answer);
    const late = setTimeout(() => answer.reject(new Error(`${name} does not answer`)), PATIENCE);
    try {
      await answer.promise;
    } finally {
      clearTimeout(late);
      waiting.delete(id);
    }
  }

  async function start(): Promise<void> {
    const node = {
      id: name,
      machineId: name,
      bootId: boot,
      stateDir: join(system, 'state'),
      runDir: join(system, 'run'),
    };
    const options: DaemonOptions = { node, vg: ground.vg, protection: 'etcd-lock', endpoints, ttl };
    const log = openSync(join(ground.directory, `${name}.log`), 'a');
    const child = fork(join(import.meta.dirname, 'host.ts'), [JSON.stringify(options)], {
      env: { ...process.env, LVM_SYSTEM_DIR: system, LVM_SUPPRESS_FD_WARNINGS: '1' },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    daemon = child;
    child.on('message', ({ id, error }: Told) => {
      if (error === undefined) waiting.get(id)?.resolve();
      else waiting.get(id)?.reject(new Error(`${name}: ${error}`));
    });
    child.once('exit', () => {
      if (daemon === child) daemon = undefined;
      for (const answer of waiting.values()) answer.reject(new Error(`${name} is down`));
    });
    await answerTo(0);
  }

  async function killDaemon(): Promise<void> {
    if (!daemon) return;
    const ended = once(daemon, 'exit');
    daemon.kill('SIGKILL');
    await ended;
  }

  /** Processes of lvm that this host has started and that have not ended. */
  async function children(): Promise<Command[]> {
    const found: Command[] = [];
    for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      if ((await read('comm')) !== 'lvm\n' || !(await read('environ')).includes(`LVM_SYSTEM_DIR=${system}\0`)) continue;
      found.push({ pid: Number(pid), words: (await read('cmdline')).split('\0') });
    }
    return found;
  }

  async function untilChildren(is: (running: readonly Command[]) => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    while (!is(await children())) {
      if (performance.now() > deadline) throw new Error(`${name}: its commands are not as expected`);
      await sleep(1);
    }
  }

  return {
    start,
    async ask(ask) {
      asked += 1;
      daemon?.send({ id: asked, ask } satisfies Asked);
      await answerTo(asked);
    },
    commits: () => untilChildren((running) => running.some(({ words }) => words.includes('lvcreate'))),
    killDaemon,
    async cutPower() {
      await killDaemon();
      for (const { pid } of await children()) kill(pid);
      await untilChildren((running) => running.length === 0);
      await rm(join(system, 'run'), { recursive: true, force: true });
      const place = { node: name, boot };
      boot = randomUUID();
      return place;
    },
    async [Symbol.asyncDispose]() {
      await killDaemon();
      await untilChildren((running) => running.length === 0);
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Milliseconds. */
const PATIENCE = 60_000;
