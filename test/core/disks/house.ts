// A host in memory: pools, VMs, and daemons that come and go over them. qemu-img is the real one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../../../core/capabilities/cluster.ts';
import type { Disks } from '../../../core/capabilities/disks.ts';
import { createAlarms } from '../../../core/disks/alarms.ts';
import { disksOf } from '../../../core/disks/index.ts';
import { createJournal } from '../../../core/disks/journal.ts';
import { createKnown } from '../../../core/disks/known.ts';
import { createLateNotes } from '../../../core/disks/late-notes.ts';
import { createPromises } from '../../../core/disks/promises.ts';
import { reconcile, reconcileStart } from '../../../core/disks/reconcile.ts';
import { createTurns } from '../../../core/disks/turns.ts';
import type { World } from '../../../core/disks/world.ts';
import type { Event } from '../../../core/kernel/capability.ts';
import type { Call } from '../../../core/kernel/verb.ts';
import { createLog } from '../../../core/log.ts';
import type { Node } from '../../../core/node.ts';
import { createRunner } from '../../../core/run.ts';
import { MiB } from '../../../core/units.ts';
import { type MemoryVm, memoryHypervisor, memoryVm } from '../../fixtures/memory-hypervisor.ts';
import { Died, type Fault, type MemoryWorld, memoryStorage, memoryWorld } from '../../fixtures/memory-storage.ts';

export interface House extends AsyncDisposable {
  readonly pools: MemoryWorld;
  readonly vms: { readonly on: MemoryVm; readonly off: MemoryVm };
  /** A new daemon, which may fail at a step: the commits of its storage and the changes in VMs, counted together. */
  daemon(fault?: Fault): Daemon;
}

export interface Daemon {
  readonly disks: Disks;
  readonly world: World;
  /** Ids of the events so far. */
  readonly events: string[];
  /** The same events with what they told. */
  readonly told: readonly { readonly id: string; readonly what: unknown }[];
  /** What a daemon does first. */
  start(): Promise<void>;
  reconcile(): Promise<void>;
}

export interface HouseOptions {
  /** Bytes in each pool. */
  readonly size?: bigint;
  readonly source?: 'block' | 'file';
}

export async function makeHouse(options: HouseOptions = {}): Promise<House> {
  const directory = await mkdtemp(join(tmpdir(), 'sltv-house-'));
  const pools = memoryWorld({ directory, pools: ['mem', 'other'], ...options });
  const vms = { on: memoryVm('web'), off: memoryVm('db', 'off') };
  const life = new AbortController();
  const node = {
    id: 'n1',
    machineId: 'a'.repeat(32),
    bootId: 'b1',
    stateDir: directory,
    runDir: join(directory, 'run'),
  };
  return {
    pools,
    vms,
    daemon: (fault) => daemonOf({ directory, node, pools, vms: Object.values(vms), life: life.signal }, fault),
    async [Symbol.asyncDispose]() {
      life.abort();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface DaemonOptions {
  /** Where its journal is. */
  readonly directory: string;
  readonly node: Node;
  readonly pools: MemoryWorld;
  readonly vms: readonly MemoryVm[];
  readonly life: AbortSignal;
}

/** One daemon's life. `clusterOf` gives its view of the cluster, where there is one. */
export function daemonOf(
  { directory, node, pools, vms, life }: DaemonOptions,
  fault?: Fault,
  clusterOf: (hasDied: () => boolean) => Cluster | undefined = () => undefined,
): Daemon {
  const storage = memoryStorage(pools, fault?.how.startsWith('vm-') ? undefined : fault);
  const hypervisor = memoryHypervisor(vms, {
    check: () => {
      if (storage.hasDied()) throw new Died('this daemon is dead');
    },
  });
  const events: string[] = [];
  const told: { id: string; what: unknown }[] = [];
  const log = createLog({ level: 'error', format: 'text', write: console.error });
  const world: World = {
    storages: [storage],
    hypervisor,
    cluster: clusterOf(storage.hasDied),
    node,
    run: createRunner({ lockDirectory: join(directory, 'locks') }),
    log,
    journal: createJournal(join(directory, 'requests')),
    turns: createTurns(),
    lateNotes: createLateNotes(),
    known: createKnown(),
    promises: createPromises(node),
    alarms: createAlarms(log),
    defaultPool: undefined,
    thinInitialSize: 64n * MiB,
    limits: { reserve: 0n, overcommit: undefined },
    detachPatience: 10,
    life,
    ask: async () => {},
    emit: <T>({ id }: Event<T>, what: T) => {
      events.push(id);
      told.push({ id, what });
    },
  };
  return {
    disks: disksOf(world),
    world,
    events,
    told,
    start: () => reconcileStart(world),
    reconcile: () => reconcile(world),
  };
}

/** A call with a request id of its own, or with a given one to repeat it. */
export const call = (requestId: string = crypto.randomUUID()): Call => ({
  signal: AbortSignal.timeout(30_000),
  caller: { name: 'test', role: 'admin' },
  requestId,
});

/** The error that `work` ends with; fails when it doesn't. */
export async function failure(
  work: Promise<unknown>,
): Promise<{ kind: string; code: string; message: string; hint?: string }> {
  const outcome = await work.then(
    () => undefined,
    (error) => error,
  );
  if (outcome === undefined) throw new Error('it should have been refused');
  return outcome;
}
