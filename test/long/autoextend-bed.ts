// A host with thin disks, guests that fill them, and a daemon that can be held in the middle of an extension.
import { MiB } from '../../core/units.ts';
import { bytes, succeed } from '../e2e/api.ts';
import { type Daemon, startDaemon } from '../testbed/daemon.ts';
import { type Guest, type Host, type Stream, testbed } from '../testbed/index.ts';

const config = (autoextend: string) => `import { defineConfig } from 'sltv';
import autoextend, { ahead } from 'sltv/autoextend';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';

// Everything takes its time in a host without KVM.
const deadlines = { read: 60_000, change: 60_000, statistics: 60_000, alone: 60_000 };
const small = ahead({ headroom: { least: '32M', most: '32M' }, step: { least: '32M', most: '32M' } });
const broken = ({ disk, physical }) => {
  if (disk.name === 'thrown') throw new Error('no idea');
  return { extendTo: 1n, armAt: physical };
};
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

/** Of a volume, `vg/name`. */
const pathOf = (name: string) => `/dev/${name}`;

export class Bed {
  readonly host: Host;

  constructor(host: Host) {
    this.host = host;
  }

  /** A daemon that follows one of the configs: `events` looks at nothing unasked, the others look every five seconds. */
  start(name: 'events' | 'looks' | 'broken', meanwhile?: (log: Stream) => Promise<unknown>): Promise<Daemon> {
    const options = { args: `--config /etc/sltv/${name}.ts`, env: 'PATH=/opt/shims:$PATH' };
    return startDaemon(this.host, { ...options, ...(meanwhile && { meanwhile }) });
  }

  /** A disk of 64 MiB whose guest sees 512 MiB. */
  async create(disk: string): Promise<void> {
    const [vg = '', name = ''] = disk.split('/');
    const sizes = { sizeBytes: bytes(64), virtualSizeBytes: bytes(512) };
    await succeed(this.host, { method: 'CreateDisk', body: { name, vg, mode: 'PROVISION_MODE_THIN', ...sizes } });
  }

  /** The same, attached, with its first threshold armed. */
  async give(disk: string, guest: Guest): Promise<Filling> {
    await this.create(disk);
    const text = await succeed(this.host, { method: 'AttachDisk', body: { diskName: disk, vmName: guest.name } });
    return await this.filling(disk, guest, /"targetDev":"(.*?)"/.exec(text)?.[1] ?? '');
  }

  /** What a guest writes to a disk that it has; returns when its first threshold is armed. */
  async filling(disk: string, guest: Guest, target: string): Promise<Filling> {
    const filling = new Filling(this, disk, guest, target);
    await filling.armed();
    return filling;
  }

  /** Asks once a second: the host has one processor, and whoever asks takes it from those that are waited for. */
  async until(condition: string): Promise<void> {
    await this.host.run(`until ${condition}; do sleep 1; done`, { timeout: 300_000 });
  }

  /** Waits until a guest stands still because a disk of its is full. */
  async stands(vm: string): Promise<void> {
    await this.until(`virsh domstate --reason ${vm} | grep -q 'paused (I/O error)'`);
  }

  /** Bytes of a volume. */
  async size(disk: string): Promise<bigint> {
    return BigInt((await this.host.run(`blockdev --getsize64 ${pathOf(disk)}`)).stdout.trim());
  }

  /** Waits until a volume has more than so many bytes. */
  async grown(disk: string, from: bigint): Promise<void> {
    await this.until(`[ $(blockdev --getsize64 ${pathOf(disk)}) -gt ${from} ]`);
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

/** A thin disk in a guest, and what the guest has written to it: one part behind the other, each with a mark of its own. */
export class Filling {
  /** Its volume: another one after a pivot. */
  disk: string;
  readonly target: string;
  readonly #bed: Bed;
  readonly #guest: Guest;
  readonly #parts: { readonly size: string; readonly at: string; readonly mark: number }[] = [];
  #end = 0;

  constructor(bed: Bed, disk: string, guest: Guest, target: string) {
    this.#bed = bed;
    this.disk = disk;
    this.#guest = guest;
    this.target = target;
  }

  /** Writes on, so many MiB; a guest that stands still meanwhile is waited for. */
  async write(mebibytes: number): Promise<void> {
    const part = { size: `${mebibytes}M`, at: `${this.#end}M`, mark: this.#parts.length + 1 };
    this.#parts.push(part);
    this.#end += mebibytes;
    await this.#guest.write(part.size, { ...part, disk: this.target, timeout: 300_000 });
  }

  /** Writes on beyond the threshold, and not as far as the end of the volume; answers with its size then, bytes. */
  async cross(): Promise<bigint> {
    const size = await this.#bed.size(this.disk);
    await this.write(Number(size / MiB) - 8 - this.#end);
    return size;
  }

  /** Crosses, and waits until the volume has grown for it and the next threshold is armed. */
  async outgrow(): Promise<void> {
    await this.#bed.grown(this.disk, await this.cross());
    await this.armed();
  }

  /** Waits until the hypervisor has a threshold for it. */
  async armed(): Promise<void> {
    const find = `/name=/ { on = $2 == "${this.target}" } on && /threshold=/ { found = 1 } END { exit !found }`;
    await this.#bed.until(`virsh domstats --block ${this.#guest.name} | awk -F= '${find}'`);
  }

  /** Throws where the guest runs no more, reads anything else than it wrote, or qemu-img finds anything wrong with the image. */
  async isWhole(): Promise<void> {
    const state = await this.#guest.state();
    if (state !== 'running') throw this.#bed.host.fail(`guest ${this.#guest.name} is ${state}`);
    for (const part of this.#parts) {
      await this.#guest.verify(part.size, { ...part, disk: this.target, timeout: 300_000 });
    }
    await this.#bed.host.run(`qemu-img check -q -U -f qcow2 ${pathOf(this.disk)}`);
  }
}

/** Pools `vg-sltv`; `tight`, of 156 MiB, with /dev/vdc left over for it; `crowded`, with next to no metadata area. */
export async function makeBed(name: string): Promise<Bed> {
  const host = await testbed.host({
    name,
    disks: ['4G', '160M', '160M', '512M'],
    memory: 1024,
    // One for the guests that write, one for who keeps ahead of them.
    cpus: 2,
    files: {
      '/etc/sltv/events.ts': config('{ policy: small, poll: 3_600_000 }'),
      '/etc/sltv/looks.ts': config('{ policy: small, poll: 5_000 }'),
      '/etc/sltv/broken.ts': config('{ policy: broken, poll: 5_000 }'),
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
