// The etcd beside a cluster's hosts: real members, which can be frozen, killed and started one by one.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { BRIDGE_ADDRESS, type Network } from './network.ts';
import { record } from './rundir.ts';

/** A busy machine is silent for a second now and then; that shall not be an election. */
const TIMES = ['--heartbeat-interval', '250', '--election-timeout', '2500'];
const READY_WITHIN = 60_000;

/** Members are counted from 1, as their names are: e1, e2, e3. */
export class Etcd implements AsyncDisposable {
  /** Where clients reach the members. */
  readonly endpoints: readonly string[];
  readonly #network: Network;
  readonly #directory: string;
  readonly #members: readonly Member[];

  /** Not yet started. */
  constructor(network: Network, directory: string, count: number) {
    this.#network = network;
    this.#directory = directory;
    this.#members = Array.from({ length: count }, (_, n) => ({
      name: `e${n + 1}`,
      client: `http://${BRIDGE_ADDRESS}:${2379 + 2 * n}`,
      peer: `http://${BRIDGE_ADDRESS}:${2380 + 2 * n}`,
      process: undefined,
    }));
    this.endpoints = this.#members.map(({ client }) => client);
  }

  /** Starts those that don't run; returns when they serve, for which most of all must run. */
  async startAll(): Promise<void> {
    const stopped = this.#members.filter((member) => member.process === undefined);
    await Promise.all(stopped.map((member) => this.#start(member)));
  }

  /** Returns when it serves. */
  start(n: number): Promise<void> {
    return this.#start(this.#member(n));
  }

  /** kill -9, of a frozen one too; its data stay. */
  kill(n: number): Promise<void> {
    return this.#kill(this.#member(n));
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#members.map((member) => this.#kill(member)));
  }

  /** Connections to it stay open, and nothing answers. */
  freeze(n: number): void {
    this.#signal(n, 'SIGSTOP');
  }

  thaw(n: number): void {
    this.#signal(n, 'SIGCONT');
  }

  /** etcdctl with all members for its endpoints, on this machine; what it said. */
  ctl(...args: readonly string[]): Promise<string> {
    const words = ['--endpoints', this.endpoints.join(','), ...args];
    return this.#network.run('etcdctl', words, { env: { ETCDCTL_API: '3' } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAll();
  }

  async #start(member: Member): Promise<void> {
    const { name, client, peer } = member;
    if (member.process !== undefined) throw new Error(`etcd ${name} is running already`);
    record(this.#directory, `--- etcd ${name} starts`);
    const initial = this.#members.map((each) => `${each.name}=${each.peer}`).join(',');
    const args = [
      ...['--name', name, '--data-dir', join(this.#directory, 'disks', name), ...TIMES],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', initial],
    ];
    const child = this.#network.spawn('etcd', args, 'pipe');
    member.process = child;
    // It would have machines of its own, and here the hosts beside it take all that the processors have.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_HIGHEST);
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    const log = join(this.#directory, `${name}.log`);
    child.stderr?.on('data', (data) => {
      appendFileSync(log, data);
      if (String(data).includes('ready to serve client requests')) resolve();
    });
    child.stdout?.resume();
    const lost = (why: string) => {
      member.process = undefined;
      reject(new Error(`etcd ${name} ${why}; its log is ${log}`));
    };
    child.on('error', (error) => lost(`could not be started: ${error.message}`));
    child.on('exit', (code, signal) => lost(`ended (${signal ?? `status ${code}`})`));
    const timer = setTimeout(() => reject(new Error(`etcd ${name} did not serve in ${READY_WITHIN} ms`)), READY_WITHIN);
    await ready.finally(() => clearTimeout(timer));
  }

  async #kill({ name, process }: Member): Promise<void> {
    if (process === undefined) return;
    record(this.#directory, `--- etcd ${name} is killed`);
    const exited = once(process, 'exit');
    process.kill('SIGKILL');
    await exited;
  }

  #signal(n: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    const { name, process } = this.#member(n);
    if (process === undefined) throw new Error(`etcd ${name} is not running`);
    record(this.#directory, `--- etcd ${name}: ${signal}`);
    process.kill(signal);
  }

  #member(n: number): Member {
    const member = this.#members[n - 1];
    if (member === undefined) throw new Error(`there is no etcd member ${n}`);
    return member;
  }
}

interface Member {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
  process: ChildProcess | undefined;
}
