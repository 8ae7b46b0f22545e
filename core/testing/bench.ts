// Where a case of `sltv plugin test` works: a folder of its own, and plugins brought up there as a daemon brings them up.
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Booted, boot } from '../kernel/boot.ts';
import { createBus } from '../kernel/bus.ts';
import { type Capability, many } from '../kernel/capability.ts';
import type { Plugin } from '../kernel/plugin.ts';
import { configError, settle } from '../kernel/settle.ts';
import type { Log } from '../log.ts';
import type { Node } from '../node.ts';
import { createRunner } from '../run.ts';

export interface Bench {
  /** This case's own, empty at first; it goes with the case. */
  readonly folder: string;
  /**
   * Brings plugins up as a daemon does, their options checked; they stop with the case. Each call is a process of its own to
   * them: on the same host in the same life, unless a node and a boot are named. Errors: `core/config`, what a setup throws.
   */
  boot(plugins: readonly Plugin[], place?: { readonly node?: string; readonly boot?: string }): Promise<Up>;
  /** Stops all that were brought up so far, as SIGTERM does. */
  stop(): Promise<void>;
  /** Undone at the end of the case, latest first, before anything stops. */
  defer(undo: () => void | Promise<void>): void;
}

export interface Up {
  /** What the first of the plugins that provide it gives. */
  get<T>(capability: Capability<T>): T;
}

/** Makes a bench in a folder below `root`. */
export async function openBench(root: string, log: Log): Promise<Bench & AsyncDisposable> {
  const own = await mkdtemp(join(root, 'case-'));
  const folder = join(own, 'folder');
  await mkdir(folder);
  const life = randomUUID();
  const running: Booted[] = [];
  const undo = new AsyncDisposableStack();
  const stop = async () => {
    for (const booted of running.splice(0).reverse()) await booted.stop();
  };
  return {
    folder,
    async boot(plugins, place = {}) {
      const node = await makeNode(own, { node: 'n1', boot: life, ...place });
      const booted = await bootOn(node, plugins, log);
      running.push(booted);
      return { get: (capability) => providedBy(booted, capability) };
    },
    stop,
    defer: (work) => undo.defer(work),
    async [Symbol.asyncDispose]() {
      try {
        await undo.disposeAsync();
        await stop();
      } finally {
        await rm(own, { recursive: true, force: true });
      }
    },
  };
}

/** A host has one state directory, whatever its life. */
async function makeNode(root: string, { node, boot }: { node: string; boot: string }): Promise<Node> {
  const [stateDir, runDir] = [join(root, node, 'state'), join(root, node, 'run')];
  for (const directory of [stateDir, runDir]) await mkdir(directory, { recursive: true });
  return { id: node, machineId: '0123456789abcdef0123456789abcdef', bootId: boot, stateDir, runDir };
}

async function bootOn(node: Node, plugins: readonly Plugin[], log: Log): Promise<Booted> {
  const result = await settle({
    config: { plugins },
    isFile: true,
    env: {},
    known: new Map(),
    own: async () => [],
  });
  if ('problems' in result) throw configError(result.problems, 'what conformance boots');
  const run = createRunner({ lockDirectory: join(node.runDir, 'locks') });
  return boot({ plugins: result.settled.plugins, bus: createBus(log), node, run, log });
}

function providedBy<T>(booted: Booted, { id }: Capability<T>): T {
  const [value] = booted.all(many<T>(id));
  if (value === undefined) throw new Error(`none of the plugins that conformance boots provides ${id}`);
  return value;
}
