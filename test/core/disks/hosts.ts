// Several hosts in memory over the same pools: each with its own VMs, its daemons that come and go, and its hook.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Storage } from '../../../core/capabilities/storage.ts';
import { answerOthers } from '../../../core/disks/answers.ts';
import { runHook } from '../../../core/disks/hook.ts';
import { createPromises } from '../../../core/disks/promises.ts';
import type { Log } from '../../../core/log.ts';
import type { Node } from '../../../core/node.ts';
import { type MemoryClusterWorld, memoryCluster, memoryClusterWorld } from '../../fixtures/memory-cluster.ts';
import { type MemoryVm, memoryVm } from '../../fixtures/memory-hypervisor.ts';
import { Died, type Fault, type MemoryWorld, memoryStorage, memoryWorld } from '../../fixtures/memory-storage.ts';
import { call, type Daemon, type DaemonOptions, daemonOf } from './house.ts';

export interface Hosts extends AsyncDisposable {
  readonly pools: MemoryWorld;
  readonly cluster: MemoryClusterWorld;
  host(name: string): Host;
  /** As it is noted, by name. */
  notes(name: string): Readonly<Record<string, readonly string[]>>;
}

export interface Host {
  readonly name: string;
  readonly world: MemoryWorld;
  /** `web` runs, `db` is off; the same on every host. */
  readonly vms: { readonly web: MemoryVm; readonly db: MemoryVm };
  node(): Node;
  path(disk: string): string;
  /** A daemon of this life, a member that answers others. */
  daemon(fault?: Fault): Daemon;
  /** What libvirt's hook does when a VM starts or stops here. */
  hook(
    step: 'starting' | 'stopped',
    vm: MemoryVm,
    more?: { fault?: Fault; paths?: readonly string[]; through?: (storage: Storage) => Storage },
  ): Promise<void>;
  /** A VM starts: the hook, and then QEMU, which opens what it was promised, or fails. */
  start(vm: MemoryVm, disk: string, through?: (storage: Storage) => Storage): Promise<void>;
  /** The power goes: nothing of it runs, and nobody answers. */
  powerOff(): Promise<void>;
  /** And it begins another life. */
  reboot(): Promise<void>;
}

export async function makeHosts(more: readonly string[] = []): Promise<Hosts> {
  const directory = await mkdtemp(join(tmpdir(), 'sltv-hosts-'));
  const pools = memoryWorld({ directory, pools: ['mem', ...more], isShared: true, source: 'block' });
  const cluster = memoryClusterWorld();
  const hosts = new Map<string, Host>();
  const life = new AbortController();
  return {
    pools,
    cluster,
    host(name) {
      const host = hosts.get(name) ?? makeHost(name, { pools, cluster, directory, life: life.signal });
      hosts.set(name, host);
      return host;
    },
    notes: (name) => pools.pools.get('mem')?.get(name)?.notes ?? {},
    async [Symbol.asyncDispose]() {
      life.abort();
      await rm(directory, { recursive: true, force: true });
      const active = [...hosts.values()].flatMap(({ world }) =>
        [...world.active].map((path) => path.split('/').at(-1)),
      );
      assert.is(new Set(active).size, active.length, 'no volume is active on two hosts');
      assert.equal(pools.shared?.harm, []);
    },
  };
}

interface Common {
  readonly pools: MemoryWorld;
  readonly cluster: MemoryClusterWorld;
  readonly directory: string;
  readonly life: AbortSignal;
}

function makeHost(name: string, { pools, cluster, directory, life }: Common): Host {
  const world = pools.host(name);
  const vms = { web: memoryVm('web'), db: memoryVm('db', 'off') };
  let boot = 1;
  const node = (): Node => ({
    id: name,
    machineId: name.padEnd(32, '0'),
    bootId: `${name}-b${boot}`,
    stateDir: join(directory, `${name}-state`),
    runDir: join(directory, `${name}-run`),
  });
  const path = (disk: string) => join(world.directory, 'dev/mem', disk);
  const place = () => ({ node: name, boot: node().bootId });
  const view = (hasDied: () => boolean = () => false) =>
    memoryCluster(cluster, place(), () => {
      if (hasDied()) throw new Died('this daemon is dead');
    });
  const end = async () => {
    cluster.replies.delete(name);
    await world.reboot();
    await rm(node().runDir, { recursive: true, force: true });
    for (const vm of Object.values(vms)) vm.state = 'off';
  };
  return {
    name,
    world,
    vms,
    node,
    path,
    daemon(fault) {
      const options: DaemonOptions = {
        directory: node().stateDir,
        node: node(),
        pools: world,
        vms: Object.values(vms),
        life,
      };
      const daemon = daemonOf(options, fault, (hasDied) => view(hasDied));
      daemon.world.cluster?.join({ version: '1', format: 1, addresses: [] });
      answerOthers(daemon.world, view());
      return daemon;
    },
    async hook(step, vm, { fault, paths, through = (storage: Storage) => storage } = {}) {
      const storage = memoryStorage(world, fault);
      const hookWorld = {
        storages: [through(storage)],
        cluster: view(storage.hasDied),
        promises: createPromises(node()),
        node: node(),
        log: silent,
        signal: call().signal,
      };
      const inVm = paths ?? vm.disks.flatMap(({ path }) => path ?? []);
      await runHook(hookWorld, { vm: { uuid: vm.uuid, name: vm.name }, step, paths: inVm });
    },
    async start(vm, disk, through) {
      const paths = [path(disk)];
      await this.hook('starting', vm, { paths, ...(through ? { through } : {}) });
      await new Promise((resolve) => setImmediate(resolve));
      const volume = pools.pools.get('mem')?.get(disk);
      if (!volume || !world.active.has(path(disk))) throw new Error(`QEMU can't open ${path(disk)}`);
      world.hold({ ...volume, path: path(disk) });
      vm.state = 'running';
    },
    powerOff: end,
    async reboot() {
      await end();
      boot += 1;
    },
  };
}

const silent: Log = (() => {
  const none = () => {};
  const log: Log = { debug: none, info: none, warn: none, error: none, with: () => log };
  return log;
})();

/** What the VMs of several hosts have open, as QEMU has it: what runs with a disk holds it. */
export function holdWhatRuns(host: Host): void {
  host.world.held.clear();
  for (const vm of Object.values(host.vms)) {
    if (vm.state !== 'off') for (const { path, live } of vm.disks) if (live && path) host.world.held.add(path);
  }
}
