// The network of a cluster: a namespace with a bridge, and a tap on it for each host. It has no name anywhere and is held by
// one process, so any number may exist side by side, and when this process dies nothing of it is left.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { execa } from 'execa';

/** Where a host's network card ends. */
export interface Plug {
  /** The words before a program's own that start it in the network. */
  readonly enter: readonly string[];
  readonly tap: string;
  readonly mac: string;
  /** The card's own: `192.168.77.11/24`. */
  readonly address: string;
}

interface Where {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const PREFIX = '192.168.77';
/** Where the programs beside the hosts listen. */
export const BRIDGE_ADDRESS = `${PREFIX}.1`;

export class Network implements AsyncDisposable {
  /** Of the first host and on. */
  readonly plugs: readonly Plug[];
  readonly #holder: ChildProcess;
  readonly #enter: readonly string[];

  /** `makeNetwork` is how to get one. */
  constructor(holder: ChildProcess, hosts: number) {
    this.#holder = holder;
    this.#enter = ['nsenter', `--net=/proc/${holder.pid}/ns/net`, '--'];
    this.plugs = numbers(hosts).map((n) => ({
      enter: this.#enter,
      tap: tapOf(n),
      mac: `52:54:00:77:00:${(10 + n).toString(16).padStart(2, '0')}`,
      address: `${addressOf(n)}/24`,
    }));
  }

  /** Starts a program in it that dies with this process; stdout and stderr are where `output` says. */
  spawn(program: string, args: readonly string[], output: number | 'pipe', where: Where = {}): ChildProcess {
    const [setpriv, ...words] = mortal([...this.#enter, program, ...args]);
    return spawn(setpriv, words, {
      ...where,
      env: { ...process.env, ...where.env },
      stdio: ['ignore', output, output],
    });
  }

  /** Runs a program in it to its end; what it said. */
  async run(program: string, args: readonly string[], where: Where = {}): Promise<string> {
    const [setpriv, ...words] = mortal([...this.#enter, program, ...args]);
    return (await execa(setpriv, words, { ...where, timeout: 30_000 })).stdout;
  }

  /** Pulls a host's cable out, or puts it in again. */
  async setLink({ tap }: Plug, state: 'up' | 'down'): Promise<void> {
    await this.run('ip', ['link', 'set', tap, state]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    const exited = once(this.#holder, 'exit');
    this.#holder.kill('SIGKILL');
    await exited;
  }
}

/** With room for so many hosts, the first at `addressOf(1)`. */
export async function makeNetwork(hosts: number): Promise<Network> {
  const script = [
    'set -e; ip link set lo up; ip link add br0 type bridge',
    `ip addr add ${BRIDGE_ADDRESS}/24 dev br0; ip link set br0 up`,
    ...numbers(hosts).map((n) => `ip tuntap add dev ${tapOf(n)} mode tap; ip link set ${tapOf(n)} master br0 up`),
    'echo ready; exec cat',
  ];
  const [setpriv, ...words] = mortal(['unshare', '--net', '--', 'sh', '-c', script.join('\n')]);
  const holder = spawn(setpriv, words, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  holder.stdout.on('data', (data) => String(data).includes('ready') && resolve());
  holder.stderr.on('data', (data) => {
    said += data;
  });
  holder.on('error', reject);
  holder.on('close', () => reject(new Error(`no network for a cluster: ${said.trim()}`)));
  await ready;
  return new Network(holder, hosts);
}

export function addressOf(host: number): string {
  return `${PREFIX}.${10 + host}`;
}

function tapOf(host: number): string {
  return `tap${host}`;
}

/** One to `count`. */
function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n + 1);
}

/** The words that start a program so that it dies with this process, however that ends. */
function mortal(words: readonly string[]): [string, ...string[]] {
  return ['setpriv', '--pdeathsig', 'KILL', '--', ...words];
}
