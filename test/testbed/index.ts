// The test bed: real hypervisor hosts (lvm2, udev, device-mapper, libvirtd, nested guests) inside QEMU, on any x86-64
// Debian machine, without KVM and without touching the machine's own LVM or libvirt.
import { fingerprint, preparedFrom } from './bootfiles.ts';
import { type Cluster, type ClusterOptions, makeCluster } from './cluster.ts';
import { Host, type HostOptions } from './host.ts';

export type { Cluster, ClusterOptions, ClusterPlace } from './cluster.ts';
export type { Guest, GuestDisk, GuestKind, GuestOptions, WriteOptions } from './guest.ts';
export type { Host, HostOptions, RunOptions, RunResult } from './host.ts';
export type { LineOptions, Stream } from './stream.ts';

/** Why no host can be had on this machine; undefined when they can. setup.mjs finds out and says so. */
export function whyUnavailable(): string | undefined {
  const said = process.env.SLTV_TESTBED;
  if (said?.startsWith('unavailable:')) return said.slice('unavailable:'.length);
  if (preparedFrom() !== fingerprint()) return 'the boot files are missing or old: run `node setup.mjs`';
  return undefined;
}

export const testbed = {
  /** Boots a host; it and its disks are gone when it is disposed of, or when this process ends. Its logs stay. */
  async host(options: HostOptions = {}): Promise<Host> {
    mustBeAvailable();
    const host = new Host(options);
    try {
      await host.create();
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  },

  /** Boots several hosts on one shared LUN, with etcd beside them; gone as a host is. */
  async cluster(options: ClusterOptions = {}): Promise<Cluster> {
    mustBeAvailable();
    return await makeCluster(options);
  },
};

function mustBeAvailable(): void {
  const reason = whyUnavailable();
  if (reason !== undefined) throw new Error(`no test-bed host: ${reason}`);
}
