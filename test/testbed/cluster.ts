// Several hosts on one shared LUN, with etcd beside them, in a network of their own.
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseSize } from '../../core/units.ts';
import { Etcd } from './etcd.ts';
import { Host, type HostOptions } from './host.ts';
import { addressOf, makeNetwork, type Network, type Plug } from './network.ts';
import { diskFile, makeRunDirectory, record, removeDisks } from './rundir.ts';
import { DEVICE, PORTAL, startTarget } from './target.ts';

export interface ClusterOptions {
  /** What its log directory's name begins with: `cluster` when not given. */
  readonly name?: string;
  /** How many: 2 when not given. */
  readonly hosts?: number;
  /** The size of the shared LUN: 2G when not given. */
  readonly lun?: string;
  /** `virtio`, when not given: /dev/vda of each host. `iscsi`: by the network, and gone when that is cut. */
  readonly transport?: 'virtio' | 'iscsi';
  /** How many members of etcd: 3 when not given, 0 for none. */
  readonly etcd?: number;
  /** What a host is made of besides; memory is 640 MiB when not given. */
  readonly host?: (self: ClusterPlace) => Omit<HostOptions, 'name'>;
}

/** What can be known of a host before it is made. */
export interface ClusterPlace {
  /** From 1 on. */
  readonly n: number;
  /** Also what the other hosts know it by: hv1, hv2, … */
  readonly name: string;
  readonly address: string;
  /** The members of etcd, for its clients. */
  readonly endpoints: readonly string[];
}

/** `testbed.cluster` is how to get one. */
export class Cluster implements AsyncDisposable {
  /** Logs of etcd and of the target, and an account of what befell them; each host has its own directory. */
  readonly directory: string;
  /** The shared LUN as every host sees it. */
  readonly lun: string;
  readonly hosts: readonly Host[];
  readonly etcd: Etcd;
  readonly #network: Network;
  readonly #parts: AsyncDisposableStack;

  constructor(
    network: Network,
    etcd: Etcd,
    made: Pick<Cluster, 'directory' | 'lun' | 'hosts'>,
    parts: AsyncDisposableStack,
  ) {
    this.#network = network;
    this.etcd = etcd;
    this.directory = made.directory;
    this.lun = made.lun;
    this.hosts = made.hosts;
    this.#parts = parts;
  }

  /** The first is host 1, its name hv1. */
  host(n: number): Host {
    const host = this.hosts[n - 1];
    if (host === undefined) throw new Error(`the cluster has no host ${n}`);
    return host;
  }

  /** Cuts a host off from etcd, from the other hosts, and from a LUN behind iSCSI. It sees no link go down: the fault is further away. */
  async cut(host: Host): Promise<void> {
    record(this.directory, `--- ${host.name} is cut off`);
    await this.#network.setLink(this.#plugOf(host), 'down');
  }

  /** Undoes `cut`. */
  async join(host: Host): Promise<void> {
    record(this.directory, `--- ${host.name} is joined again`);
    await this.#network.setLink(this.#plugOf(host), 'up');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }

  #plugOf(host: Host): Plug {
    const plug = this.#network.plugs[this.hosts.indexOf(host)];
    if (plug === undefined) throw new Error(`${host.name} is not of this cluster`);
    return plug;
  }
}

/** Boots all hosts side by side; on a failure nothing of it is left but logs. */
export async function makeCluster(options: ClusterOptions): Promise<Cluster> {
  const { name = 'cluster', hosts: count = 2, lun: size = '2G', transport = 'virtio', etcd: members = 3 } = options;
  await using parts = new AsyncDisposableStack();
  const directory = makeRunDirectory(name);
  parts.defer(() => removeDisks(directory));
  const file = diskFile(directory, 'lun');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  truncateSync(file, Number(parseSize(size)));
  const network = parts.use(await makeNetwork(count));
  const isIscsi = transport === 'iscsi';
  if (isIscsi) parts.use(await startTarget(network, directory, file));
  const etcd = parts.use(new Etcd(network, directory, members));
  const places = network.plugs.map((_, at): ClusterPlace => {
    const n = at + 1;
    return { n, name: nameOf(n), address: addressOf(n), endpoints: etcd.endpoints };
  });
  const hosts = network.plugs.map((plug, at) => {
    const own = places[at] === undefined ? {} : (options.host?.(places[at]) ?? {});
    return parts.use(
      new Host(
        {
          memory: 640,
          ...own,
          name: nameOf(at + 1),
          disks: [...(isIscsi ? [] : [{ file }]), ...(own.disks ?? [])],
          files: { ...filesOf(nameOf(at + 1), places), ...own.files },
        },
        { plug, ...(isIscsi && { portal: PORTAL }) },
      ),
    );
  });
  // All of them end before any of it is taken away.
  const started = await Promise.allSettled([etcd.startAll(), ...hosts.map((host) => host.create())]);
  for (const each of started) if (each.status === 'rejected') throw each.reason;
  return new Cluster(network, etcd, { directory, lun: isIscsi ? DEVICE : '/dev/vda', hosts }, parts.move());
}

function nameOf(n: number): string {
  return `hv${n}`;
}

function filesOf(name: string, places: readonly ClusterPlace[]): Record<string, string> {
  const lines = ['127.0.0.1 localhost', ...places.map((each) => `${each.address} ${each.name}`)];
  return {
    '/etc/hosts': lines.map((line) => `${line}\n`).join(''),
    '/etc/iscsi/initiatorname.iscsi': `InitiatorName=iqn.2026-01.test.sltv:${name}\n`,
  };
}
