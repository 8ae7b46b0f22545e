// A host with thin disks, guests that fill them, and a daemon that can be held in the middle of an extension.
import { MiB } from '../../core/units.ts';
import { succeed } from '../e2e/api.ts';
import { type Daemon, startDaemon } from '../testbed/daemon.ts';
import { type Host, type Stream, testbed } from '../testbed/index.ts';

const config = (autoextend: string) => `import { defineConfig } from 'sltv';
import autoextend, { ahead } from 'sltv/autoextend';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';

// Everything takes its time in a host without KVM.
const deadlines = { read: 30_000, change: 30_000, statistics: 30_000, alone: 30_000 };
const small = ahead({ headroom: { least: '32M', most: '32M' }, step: { least: '32M', most: '32M' } });
export default defineConfig({ plugins: [lvm(), libvirt({ deadlines }), localLock(), autoextend(${autoextend})] });
`;

// Stands before lvm: an lvextend waits at the gate, while there is one. Opened for reading, the gate waits for its opener.
const LVM = `#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
if [ "$1" = lvextend ] && [ -p /run/gate ]; then
  echo $$ > /run/held
  read -r _ < /run/gate
fi
exec lvm "$@"
`;

// Stands before virsh: counts the looks at all guests.
const VIRSH = `#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
case "$*" in *domstats*) echo look >> /run/looks ;; esac
exec virsh "$@"
`;

const bytes = (mebibytes: number) => String(BigInt(mebibytes) * MiB);
/** Of a volume, `vg/name`. */
const pathOf = (name: string) => `/dev/${name}`;

export class Bed {
  readonly host: Host;

  constructor(host: Host) {
    this.host = host;
  }

  /** A daemon that follows one of the configs: `events` looks at nothing unasked, the others look every two seconds. */
  start(name: 'events' | 'looks' | 'broken', meanwhile?: (log: Stream) => Promise<unknown>): Promise<Daemon> {
    const options = { args: `--config /etc/sltv/${name}.ts`, env: 'PATH=/opt/shims:$PATH' };
    return startDaemon(this.host, { ...options, ...(meanwhile && { meanwhile }) });
  }

  /** A disk of 64 MiB whose guest sees 256 MiB. */
  async create(disk: string): Promise<void> {
    const [vg = '', name = ''] = disk.split('/');
    const sizes = { sizeBytes: bytes(64), virtualSizeBytes: bytes(256) };
    await succeed(this.host, { method: 'CreateDisk', body: { name, vg, mode: 'PROVISION_MODE_THIN', ...sizes } });
  }

  /** The same, attached, with its first threshold armed; answers with its target. */
  async give(disk: string, vmName: string): Promise<string> {
    await this.create(disk);
    const text = await succeed(this.host, { method: 'AttachDisk', body: { diskName: disk, vmName } });
    const target = /"targetDev":"(.*?)"/.exec(text)?.[1] ?? '';
    await this.armed(vmName, target);
    return target;
  }

  async until(condition: string): Promise<void> {
    await this.host.run(`until ${condition}; do sleep 0.1; done`, { timeout: 90_000 });
  }

  /** Waits until the hypervisor has a threshold for this disk. */
  async armed(vm: string, target: string): Promise<void> {
    const find = `/name=/ { on = $2 == "${target}" } on && /threshold=/ { found = 1 } END { exit !found }`;
    await this.until(`virsh domstats --block ${vm} | awk -F= '${find}'`);
  }

  /** Waits until a guest stands still because a disk of its is full. */
  async stands(vm: string): Promise<void> {
    await this.until(`virsh domstate --reason ${vm} | grep -q 'paused (I/O error)'`);
  }

  /** Bytes of a volume. */
  async size(disk: string): Promise<bigint> {
    return BigInt((await this.host.run(`blockdev --getsize64 ${pathOf(disk)}`)).stdout.trim());
  }

  /** Waits until a volume has more than so many MiB. */
  async grown(disk: string, mebibytes: number): Promise<void> {
    await this.until(`[ $(blockdev --getsize64 ${pathOf(disk)}) -gt ${bytes(mebibytes)} ]`);
  }

  /** Throws where qemu-img finds anything wrong with an image. */
  async isClean(disk: string): Promise<void> {
    await this.host.run(`qemu-img check -q -U -f qcow2 ${pathOf(disk)}`);
  }

  /** Waits until the daemon has begun so many looks at all guests. */
  async looks(count: number): Promise<void> {
    await this.host.run(': > /run/looks');
    await this.until(`[ $(wc -l < /run/looks) -ge ${count} ]`);
  }

  /** Holds the next lvextend; `held` waits for it. */
  async close(): Promise<void> {
    await this.host.run('rm -f /run/held && mkfifo /run/gate');
  }

  async held(): Promise<void> {
    await this.until('[ -s /run/held ]');
  }

  /** Lets it go on, with all that come after it. */
  async open(): Promise<void> {
    await this.host.run('exec 4<> /run/gate && rm /run/gate && echo go >&4');
  }
}

/** Pools `vg-sltv`; `tight`, of 156 MiB, with /dev/vdc left over for it; `crowded`, with next to no metadata area. */
export async function makeBed(name: string): Promise<Bed> {
  const host = await testbed.host({
    name,
    disks: ['4G', '160M', '160M', '512M'],
    memory: 1024,
    files: {
      '/etc/sltv/events.ts': config('{ policy: small, poll: 3_600_000 }'),
      '/etc/sltv/looks.ts': config('{ policy: small, poll: 2_000 }'),
      '/etc/sltv/broken.ts': config(`{ policy: () => { throw new Error('no idea') }, poll: 2_000 }`),
      '/opt/shims/lvm': { text: LVM, mode: 0o755 },
      '/opt/shims/virsh': { text: VIRSH, mode: 0o755 },
    },
  });
  const create = 'vgcreate -q --addtag sltv:v=1 --addtag sltv:lock=local/$(cat /etc/machine-id)';
  await host.run(
    `${create} vg-sltv /dev/vda && ${create} tight /dev/vdb && ${create} --metadatasize 64k crowded /dev/vdd`,
  );
  return new Bed(host);
}
