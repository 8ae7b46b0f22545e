// Daemons with one pool between them, on the hosts of a cluster.
import { type Daemon, startDaemon } from '../testbed/daemon.ts';
import type { ClusterPlace, Host } from '../testbed/index.ts';
import { type Answer, asking, bytes, type Disk, disks, type Request, readAnswer } from './api.ts';

export const POOL = 'shared';

/** A request for a disk of 8 MiB in the pool. */
export const thick = (name: string) => ({
  method: 'CreateDisk',
  body: { name, vg: POOL, sizeBytes: bytes(8) },
});

/** For `testbed.cluster({ host })`: the config of each host's daemon. */
export const configOf = ({ endpoints }: ClusterPlace) => ({
  '/etc/sltv/sltv.config.ts': `
import { defineConfig } from 'sltv';
import autoextend, { ahead } from 'sltv/autoextend';
import etcdLock from 'sltv/etcd-lock';
import libvirt from 'sltv/libvirt';
import lvm from 'sltv/lvm';
const policy = ahead({ headroom: { least: '2G' }, step: { least: '512M', most: '512M' } });
const locks = etcdLock({ endpoints: ${JSON.stringify(endpoints)} });
export default defineConfig({ plugins: [lvm({ vgs: ['${POOL}'] }), libvirt(), locks, autoextend({ policy })] });
`,
});

/** Starts a daemon as systemd does: again when it fails, thrice. */
async function startPatiently(host: Host): Promise<Daemon> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startDaemon(host);
    } catch (error) {
      if (tries === 3) throw error;
      console.log(error);
    }
  }
}

/** A host's own daemon, and libvirt's hook. */
export async function startOwn(host: Host): Promise<Daemon> {
  const daemon = await startPatiently(host);
  // libvirtd looks for hooks when it is told to reload, too.
  await host.run('sltv init --hooks && kill -HUP $(cat /run/libvirtd.pid)');
  return daemon;
}

/** Asks for several things at once, by one command of the host: their answers in order. */
export async function askAll(host: Host, requests: readonly Request[]): Promise<readonly Answer[]> {
  const each = requests.map((request, n) => `{ ${asking(request)}; } > $d/${n} 2>&1 &`);
  const shown = requests.map((_, n) => `base64 -w0 $d/${n}; echo`);
  const { stdout } = await host.run(`d=$(mktemp -d)\n${each.join('\n')}\nwait\n${shown.join('\n')}\nrm -r $d`, {
    timeout: 180_000,
  });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => readAnswer(Buffer.from(line, 'base64').toString()));
}

/** The disks that a host's daemon lists, by name. */
export async function listed(host: Host): Promise<ReadonlyMap<string, Disk>> {
  return new Map((await disks(host)).map((disk): [string, Disk] => [disk.name, disk]));
}

/** LVM's own look at the pool; throws what it has against it. The VG's system ID keeps stock commands off. */
export async function vgck(host: Host): Promise<void> {
  const id = `$(vgs --foreign --noheadings -o systemid ${POOL} | tr -d ' ')`;
  await host.run(`id=${id}; vgck --config "global{system_id_source=lvmlocal} local{system_id=\\"$id\\"}" ${POOL}`);
}

/** The names of what LVM has in the pool, by a host that asks no sltv. */
export async function volumes(host: Host): Promise<readonly string[]> {
  const { stdout } = await host.run(`lvs --foreign --noheadings -o lv_name ${POOL}`);
  return stdout.split('\n').flatMap((line) => line.trim() || []);
}
