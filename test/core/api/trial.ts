// A daemon for tests of its API: the real disks over pools and VMs in memory, a plugin that does what a test asks for,
// and a real socket in a folder of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type InferInput, parse } from 'valibot';
import { createEventLog } from '../../../core/api/event-log.ts';
import { type Served, serve } from '../../../core/api/server.ts';
import { Cluster } from '../../../core/capabilities/cluster.ts';
import { OperationFinished } from '../../../core/capabilities/disks.ts';
import { Hypervisor } from '../../../core/capabilities/hypervisor.ts';
import { type Pool, PoolGrown, Storage } from '../../../core/capabilities/storage.ts';
import { type Client, type ClientOptions, connect } from '../../../core/client/published.ts';
import disks from '../../../core/disks/index.ts';
import { errors, KINDS, type Kind, SltvError } from '../../../core/errors.ts';
import { type Booted, boot } from '../../../core/kernel/boot.ts';
import { createBus } from '../../../core/kernel/bus.ts';
import { EventTold } from '../../../core/kernel/capability.ts';
import { Limits } from '../../../core/kernel/config.ts';
import { definitionOf } from '../../../core/kernel/definition.ts';
import { TcpListener } from '../../../core/kernel/listener.ts';
import { definePlugin, type Plugin } from '../../../core/kernel/plugin.ts';
import { type Call, type Role, verb } from '../../../core/kernel/verb.ts';
import { createLog } from '../../../core/log.ts';
import nodes from '../../../core/nodes/index.ts';
import { createRunner } from '../../../core/run.ts';
import { memoryHypervisor, memoryVm } from '../../fixtures/memory-hypervisor.ts';
import { memoryStorage, memoryWorld } from '../../fixtures/memory-storage.ts';

type What<E> = E extends { readonly id: string } & import('../../../core/kernel/capability.ts').Event<infer T>
  ? T
  : never;

export interface Trial extends AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  /** Of each TCP listener, in the order of `tcp`. */
  readonly ports: readonly number[];
  readonly booted: Booted;
  readonly vms: { readonly web: ReturnType<typeof memoryVm>; readonly db: ReturnType<typeof memoryVm> };
  /** Calls of `trial` verbs as the plugin saw them, in order. */
  readonly seen: Call[];
  readonly finished: What<typeof OperationFinished>[];
  readonly grown: string[];
  /** Pools that were shared or accepted: `share mem`. */
  readonly settled: string[];
  /** The log's lines. */
  readonly lines: Readonly<Record<string, unknown>>[];
  /** Lets every `trial wait` that is under way end. */
  readonly release: () => void;
  client(options?: ClientOptions): Client;
  /** Resolves when the condition holds, looked at after every finished call and verb's beginning. */
  until(condition: () => boolean): Promise<void>;
  close: Served['close'];
}

export interface TrialOptions {
  readonly role?: Role;
  /** Leaves VMs out. */
  readonly withoutHypervisor?: boolean;
  /** Its view of a cluster, whose nodes share its pools. */
  readonly cluster?: Cluster;
  /** After the others. */
  readonly more?: readonly Plugin[];
  /** Listeners beside the Unix socket; by default on ports that the system chooses. */
  readonly tcp?: readonly (Omit<InferInput<typeof TcpListener>, 'tcp'> & { readonly tcp?: string })[];
  readonly limits?: InferInput<typeof Limits>;
}

export async function startTrial({
  role = 'admin',
  withoutHypervisor = false,
  cluster,
  more = [],
  tcp = [],
  limits = {},
}: TrialOptions = {}): Promise<Trial> {
  const folder = await mkdtemp(join(tmpdir(), 'sltv-api-'));
  const path = join(folder, 'd.sock');
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = createLog({ level: 'debug', format: 'json', write: (line) => void lines.push(JSON.parse(line)) });
  const world = memoryWorld({ directory: folder, pools: ['mem', 'other'], isShared: cluster !== undefined });
  const vms = { web: memoryVm('web'), db: memoryVm('db', 'off') };
  const seen: Call[] = [];
  const finished: What<typeof OperationFinished>[] = [];
  const grown: string[] = [];
  const settled: string[] = [];
  const waiting = Promise.withResolvers<void>();
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const look of watchers) look();
  };
  const plugins: Plugin[] = [
    disks({ thinInitialSize: 64n * 1024n ** 2n, reserve: 0n }),
    nodes(),
    ...(cluster === undefined ? [] : [clusterPlugin(cluster)]),
    storagePlugin(growing(memoryStorage(world), ['mem'], settled)),
    ...(withoutHypervisor ? [] : [hypervisorPlugin(memoryHypervisor(Object.values(vms)))]),
    trialPlugin({
      saw: (call) => {
        seen.push(call);
        changed();
      },
      released: waiting.promise,
    }),
    ...more,
  ];
  const booted = await boot({
    plugins: plugins.map((plugin) => {
      const definition = definitionOf(plugin);
      if (typeof definition === 'string') throw new Error(definition);
      const options = definition.options === undefined ? plugin.given : parse(definition.options, plugin.given);
      return { definition, options };
    }),
    bus: createBus(log),
    node: { id: 'n1', machineId: 'a'.repeat(32), bootId: 'b1', stateDir: folder, runDir: join(folder, 'run') },
    run: createRunner({ lockDirectory: join(folder, 'locks') }),
    log,
  });
  booted.on(OperationFinished, (what) => {
    finished.push(what);
    changed();
  });
  booted.on(PoolGrown, ({ pool }) => void grown.push(pool));
  const node = { id: 'n1', machineId: 'a'.repeat(32), bootId: 'b1', stateDir: folder, runDir: join(folder, 'run') };
  const events = createEventLog({ life: 'life' });
  booted.on(EventTold, events.add);
  const served = await serve({
    listeners: [
      { unix: path, mode: 0o660, role },
      ...tcp.map((listener) => parse(TcpListener, { tcp: '127.0.0.1:0', ...listener })),
    ],
    limits: parse(Limits, limits),
    booted,
    node,
    version: '1.2.3',
    events,
    log,
  }).catch(async (error: unknown) => {
    await booted.stop();
    throw error;
  });
  const ports = lines.flatMap((line) =>
    line.message === 'listening' && typeof line.tcp === 'string' ? [Number(line.tcp.split(':').at(-1))] : [],
  );
  return {
    folder,
    path,
    ports,
    booted,
    vms,
    seen,
    finished,
    grown,
    settled,
    lines,
    release: waiting.resolve,
    client: (options) => connect({ addr: `unix://${path}`, ...options }),
    until: (condition) =>
      new Promise((resolve) => {
        const look = () => {
          if (!condition()) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    close: served.close,
    async [Symbol.asyncDispose]() {
      waiting.resolve();
      await served.close(0);
      await booted.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const trialErrors = errors('trial', { fault: 'internal' });

const storagePlugin = (storage: Storage): Plugin =>
  definePlugin({
    name: 'memory',
    api: 1,
    provides: { storage: Storage },
    setup: () => ({ provides: { storage } }),
  })();

const clusterPlugin = (cluster: Cluster): Plugin =>
  definePlugin({
    name: 'nearby',
    api: 1,
    provides: { cluster: Cluster },
    setup: () => ({ provides: { cluster } }),
  })();

const hypervisorPlugin = (hypervisor: Hypervisor): Plugin =>
  definePlugin({
    name: 'vms',
    version: '4.5.6',
    api: 1,
    provides: { hypervisor: Hypervisor },
    setup: () => ({ provides: { hypervisor } }),
  })();

/** Adds what only some storages can: `names` take devices, and `memory` makes pools, of which a test sees the call. */
function growing(storage: Storage, names: readonly string[], settled: string[]): Storage {
  const devices = new Map<string, string[]>();
  const wrap = (pool: Pool): Pool => ({
    ...pool,
    facts: async (signal) => {
      const facts = await pool.facts(signal);
      return { ...facts, devices: [...facts.devices, ...(devices.get(pool.name) ?? [])] };
    },
    ...(names.includes(pool.name)
      ? {
          grow: async (more: readonly string[]) => void devices.set(pool.name, [...more]),
          share: async () => void settled.push(`share ${pool.name}`),
          accept: async () => void settled.push(`accept ${pool.name}`),
          shell: async (words: readonly string[]) => ({
            code: words.length,
            stdout: words.join(' '),
            stderr: 'warned',
          }),
        }
      : {}),
  });
  return {
    kind: storage.kind,
    pools: async (signal) => (await storage.pools(signal)).map(wrap),
    createPool: async ({ name, devices: given }, signal) => {
      const [like] = await storage.pools(signal);
      if (!like) throw new Error('the memory has a pool to copy from');
      devices.set(name, [...given]);
      return wrap({ ...like, name });
    },
  };
}

interface TrialHooks {
  readonly saw: (call: Call) => void;
  readonly released: Promise<void>;
}

const trialPlugin = ({ saw, released }: TrialHooks): Plugin =>
  definePlugin({
    name: 'trial',
    api: 1,
    errors: trialErrors,
    verbs: {
      'trial fail': verb({
        about: 'fails in the way it is told',
        example: 'sltv trial fail busy',
        role: 'viewer',
        args: { how: { type: 'text', about: 'a kind, or bug' } },
        options: {},
        gives: 'nothing',
        result: {},
      }),
      'trial wait': verb({
        about: 'waits until it is released or cancelled',
        example: 'sltv trial wait',
        role: 'viewer',
        args: {},
        options: { deaf: { type: 'flag', about: "doesn't hear the signal" } },
        gives: 'nothing',
        result: {},
      }),
      'trial echo': verb({
        about: 'gives back what it was given',
        example: 'sltv trial echo 1G',
        role: 'operator',
        args: { size: { type: 'size', about: 'bytes' } },
        options: {
          time: { type: 'time', about: 'a time', optional: true },
          words: { type: 'text', about: 'words', list: true, optional: true },
          colour: { type: 'text', about: 'a colour', optional: true, choices: ['red', 'green'] },
        },
        gives: 'item',
        result: {
          size: { type: 'size', about: 'bytes' },
          time: { type: 'time', about: 'a time', optional: true },
          words: { type: 'text', about: 'words', list: true, optional: true },
          loud: { type: 'flag', about: 'always' },
        },
      }),
      'trial count': verb({
        about: 'counts, then ends as it is told',
        example: 'sltv trial count 3',
        role: 'viewer',
        args: { to: { type: 'count', about: 'how far' } },
        options: { after: { type: 'text', about: 'end, fail or wait', optional: true } },
        gives: 'stream',
        result: { number: { type: 'count', about: 'from 1' } },
      }),
    },
    setup: () => ({
      verbs: {
        'trial fail': async ({ how }, call) => {
          saw(call);
          if (!(how in KINDS)) throw new TypeError('cannot read what is not there');
          // It is one of KINDS' keys, as the line above made sure.
          throw new SltvError(how as Kind, `trial/${how}`, `it is ${how}`, { hint: `mend ${how}` });
        },
        'trial wait': async ({ deaf }, call) => {
          saw(call);
          call.tell?.({ stage: 'waiting to be released', done: 1n, total: 4n });
          const cancelled = new Promise<never>((_resolve, reject) => {
            if (!deaf) call.signal.addEventListener('abort', () => reject(call.signal.reason), { once: true });
          });
          await Promise.race([released, cancelled]);
        },
        'trial echo': async (input) => ({ size: input.size, time: input.time, words: input.words, loud: true }),
        'trial count': async function* ({ to, after }, call) {
          saw(call);
          for (let number = 1; number <= to; number++) yield { number };
          if (after === 'fail') throw new SltvError('busy', 'trial/busy', 'it is busy', { hint: 'wait' });
          if (after === 'wait') await new Promise(() => {});
        },
      },
    }),
  })();
