// All that a storm needs: the ground, etcd, and the hosts.
import { type Etcd, startEtcd } from '../fixtures/etcd.ts';
import type { Protection } from './daemon.ts';
import { type Ground, prepareGround } from './ground.ts';
import { createHost, type Host } from './host.ts';

export interface World extends AsyncDisposable {
  readonly ground: Ground;
  /** Undefined where nothing keeps the hosts apart. */
  readonly etcd: Etcd | undefined;
  /** How many members etcd has. */
  readonly members: number;
  readonly hosts: readonly [Host, ...Host[]];
}

export interface WorldOptions {
  readonly seed: string;
  readonly hosts: number;
  readonly protection: Protection;
  /** Seconds. */
  readonly ttl: number;
  readonly members: 1 | 3;
  /** Whether each host has names of its own for the disks that it makes, so that they don't meet. */
  readonly ownNames: boolean;
}

export async function createWorld(options: WorldOptions): Promise<World> {
  const { seed, protection, ttl, members } = options;
  await using undo = new AsyncDisposableStack();
  const ground = undo.use(await prepareGround());
  const etcd = protection === 'none' ? undefined : undo.use(await startEtcd({ members }));
  const hosts: Host[] = [];
  for (let n = 1; n <= options.hosts; n += 1) {
    const name = `host${n}`;
    const names = Array.from({ length: DISKS }, (_, disk) => (options.ownNames ? `${name}-d${disk}` : `d${disk}`));
    const endpoints = etcd?.endpoints ?? [];
    hosts.push(undo.use(await createHost({ ground, name, seed, protection, endpoints, ttl, lanes: LANES, names })));
  }
  for (const host of hosts) host.start();
  for (const host of hosts) await host.untilUp();
  const [first, ...others] = hosts;
  if (!first) throw new Error('a storm needs hosts');
  const all = undo.move();
  // Loop devices, and a file system that may be frozen, would stay behind.
  const stop = () => void all.disposeAsync().finally(() => process.exit(1));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
  all.defer(() => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop);
  });
  return { ground, etcd, members, hosts: [first, ...others], [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Few, so that hosts meet at them, and lvm's text stays short. */
const DISKS = 24;
/** Operations at a time on one host. */
const LANES = 2;
