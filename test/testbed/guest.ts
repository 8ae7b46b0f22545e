// A guest of a host: a libvirt domain that boots in a moment, writes its disks, looks at them, and lets go of them.
import { createHash, randomUUID } from 'node:crypto';
import { MiB, parseSize } from '../../core/units.ts';
import { domainXml, type GuestDisk, type GuestKind, type PciPlace, placeOf } from './domain.ts';
import type { Host } from './host.ts';

export type { GuestDisk, GuestKind };

export interface GuestOptions {
  /**
   * `tiny`, when not given: 1.5 KiB of our own, up in 2 s; machine `pc`. `linux`: the machine's kernel and busybox, up in
   * half a minute; machine `q35`, with a shell.
   */
  readonly kind?: GuestKind;
  readonly disks?: readonly GuestDisk[];
  /** MiB; 32 for a tiny guest, 128 for Linux, when not given. */
  readonly memory?: number;
  /** More XML of <devices>. */
  readonly devices?: string;
  /** Another guest's: the same VM, defined on another host too. One of its own when not given. */
  readonly uuid?: string;
  /** false: defined only. */
  readonly start?: boolean;
}

export interface WriteOptions {
  /** Its target, `vda` when not given; disks attached while it runs serve as well. */
  readonly disk?: string;
  /** Where on the disk, in whole MiB: `10M`; the beginning when not given. */
  readonly at?: string;
  /** 0 to 255: what makes this writing another one than that to the same place; tiny guests only. */
  readonly mark?: number;
  /** Milliseconds; 60,000 when not given. A guest paused for want of space only answers after it was resumed. */
  readonly timeout?: number;
}

/** The boot of a guest, emulated twice. */
const BOOT_TIMEOUT = 240_000;
/** virsh waits for libvirt's hooks, each of which may start sltv. */
const HOOKS_TIMEOUT = 240_000;
const PORTS = '/var/lib/testbed/guests';

/** Defines the domain in the host, and starts it unless told not to. */
export async function makeGuest(host: Host, name: string, options: GuestOptions): Promise<Guest> {
  const { kind = 'tiny', disks = [], memory, devices = '', uuid = randomUUID(), start = true } = options;
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) throw new Error(`'${name}' is no guest name`);
  const port = `${PORTS}/${name}`;
  const xml = domainXml({ name, uuid, kind, disks, port, memory, devices });
  // The pipes are on the host's disk: an autostarted guest finds them after a reboot.
  const pipes = `mkdir -p ${PORTS} && rm -f ${port}.in ${port}.out && mkfifo ${port}.in ${port}.out`;
  await host.run(`${pipes} && virsh -q define /dev/stdin`, { input: xml });
  const guest = new Guest(host, name, uuid, kind, port);
  if (start) await guest.start();
  return guest;
}

export class Guest {
  readonly name: string;
  readonly uuid: string;
  readonly kind: GuestKind;
  readonly #host: Host;
  readonly #port: string;
  #sequence = 0;
  /** One question at a time: each waits for the end of the one before it. */
  #last: Promise<unknown> = Promise.resolve();

  /** `host.guest` is how to get one. */
  constructor(host: Host, name: string, uuid: string, kind: GuestKind, port: string) {
    this.#host = host;
    this.name = name;
    this.uuid = uuid;
    this.kind = kind;
    this.#port = port;
  }

  /** virsh start, and waits until the guest is up. */
  async start(): Promise<void> {
    await this.#host.run(`virsh -q start ${this.name}`, { timeout: HOOKS_TIMEOUT });
    await this.up();
  }

  /** Waits for the greeting of a guest that something else started; it greets once a boot. */
  async up(): Promise<void> {
    await this.#converse(0, '', BOOT_TIMEOUT);
  }

  /** As pulling its plug: virsh destroy. */
  async destroy(): Promise<void> {
    await this.#host.run(`virsh -q destroy ${this.name}`, { timeout: HOOKS_TIMEOUT });
  }

  /** Presses the tiny guest's power button and waits until it is off, so that libvirt's hooks ran. */
  async shutdown(): Promise<void> {
    const isOff = `[ "$(virsh domstate ${this.name} | head -1)" = 'shut off' ]`;
    await this.#host.run(`virsh -q shutdown ${this.name} && until ${isOff}; do sleep 0.1; done`);
  }

  /** What libvirt says it is: `running`, `paused`, `shut off`, … */
  async state(): Promise<string> {
    return (await this.#host.run(`virsh domstate ${this.name}`)).stdout.trim();
  }

  /** Writes to a disk past all caches; returns when the last of it is there, throws when the guest sees an error. */
  async write(size: string, options: WriteOptions = {}): Promise<void> {
    const { first, count } = extent(size, options);
    const { timeout } = options;
    if (this.kind === 'tiny') {
      await this.#ask('w', await this.#transfer(first, count, options), timeout);
      return;
    }
    const device = await this.#device(options.disk);
    const one = `dd if=/tmp/mebibyte of=${device} bs=1M seek=$((${first}+i)) oflag=direct conv=notrunc 2>/dev/null`;
    await this.sh(`i=0; while [ $i -lt ${count} ]; do ${one} || exit 1; i=$((i+1)); done`, { timeout });
  }

  /** Reads what `write` with the same words has written; throws where anything else is. */
  async verify(size: string, options: WriteOptions = {}): Promise<void> {
    const { first, count } = extent(size, options);
    const { timeout } = options;
    if (this.kind === 'tiny') {
      await this.#ask('v', await this.#transfer(first, count, options), timeout);
      return;
    }
    const device = await this.#device(options.disk);
    const seen = await this.sh(`dd if=${device} bs=1M skip=${first} count=${count} iflag=direct 2>/dev/null | md5sum`, {
      timeout,
    });
    const hash = createHash('md5');
    const mebibyte = 'sltv\n'.repeat(2 ** 20).slice(0, 2 ** 20);
    for (let n = 0; n < count; n += 1) hash.update(mebibyte);
    if (!seen.startsWith(hash.digest('hex')))
      throw this.#host.fail(`guest ${this.name} reads other data than were written`);
  }

  /** The disk's size as the guest itself sees it, in bytes. */
  async size(disk = 'vda'): Promise<bigint> {
    const bytes = await this.#sizeIfSeen(disk);
    if (bytes === undefined) throw this.#host.fail(`guest ${this.name} sees no disk ${disk}`);
    return bytes;
  }

  /** Whether it can see a disk at this target; a target that libvirt doesn't know either is not seen. */
  async sees(disk: string): Promise<boolean> {
    return (await this.#sizeIfSeen(disk)) !== undefined;
  }

  /** Whether a tiny guest leaves requests to let go of a disk unanswered, as a hung guest does; it answers at first. */
  async ignoreUnplug(ignore: boolean): Promise<void> {
    await this.#ask(ignore ? 'n' : 'y', []);
  }

  /** Runs a line in a Linux guest's shell and returns what it said; throws when it fails. */
  async sh(line: string, { timeout }: { readonly timeout?: number | undefined } = {}): Promise<string> {
    if (this.kind !== 'linux') throw new Error(`guest ${this.name} has no shell`);
    const answer = await this.#inTurn((id) => this.#converse(id, `(${line}); echo ${hex(id)} $?`, timeout));
    const at = answer.lastIndexOf('\n') + 1;
    const said = answer.slice(0, at);
    if (answer.slice(at).trim() !== '0') throw this.#host.fail(`guest ${this.name}: '${line}' failed:\n${said}`);
    return said;
  }

  async #sizeIfSeen(disk: string): Promise<bigint | undefined> {
    const place = await this.#place(disk);
    if (place === undefined) return undefined;
    if (this.kind === 'linux') {
      const device = await this.#deviceAt(place);
      return device === undefined ? undefined : BigInt((await this.sh(`blockdev --getsize64 ${device}`)).trim());
    }
    const answer = await this.#exchange('s', [place.slot]);
    if (answer.why === NO_DISK) return undefined;
    return BigInt(`0x${this.#accepted(answer)}`) * 512n;
  }

  async #transfer(first: number, count: number, { disk = 'vda', mark = 0 }: WriteOptions): Promise<number[]> {
    const place = await this.#place(disk);
    if (place === undefined) throw this.#host.fail(`guest ${this.name} has no disk ${disk}`);
    return [place.slot, first, count, mark];
  }

  /** One question to a tiny guest; what it gave for an answer, or an error. */
  async #ask(letter: string, words: readonly number[], timeout?: number): Promise<string> {
    return this.#accepted(await this.#exchange(letter, words, timeout));
  }

  async #exchange(letter: string, words: readonly number[], timeout?: number): Promise<TinyAnswer> {
    const line = (id: number) => [letter, ...[id, ...words].map((word) => word.toString(16))].join(' ');
    const answer = await this.#inTurn((id) => this.#converse(id, line(id), timeout));
    const [verdict, ...rest] = answer.split(' ');
    if (verdict === '=') return { result: rest.join(' '), why: 0, where: 0, found: '' };
    return { result: undefined, why: Number(`0x${rest[0]}`), where: Number(`0x${rest[1]}`), found: rest[2] ?? '' };
  }

  #accepted({ result, why, where, found }: TinyAnswer): string {
    if (result === undefined) throw this.#host.fail(`guest ${this.name}: ${refusal(why, where, found)}`);
    return result;
  }

  async #inTurn<T>(converse: (id: number) => Promise<T>): Promise<T> {
    this.#sequence += 1;
    const id = this.#sequence;
    const mine = this.#last.then(() => converse(id));
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Sends a line, if any; returns all lines up to the one that begins with this number, whose number is left out. */
  async #converse(id: number, line: string, timeout = 60_000): Promise<string> {
    const seconds = Math.ceil(timeout / 1000);
    const send = line === '' ? '' : `printf '%s\\n' '${line.replaceAll("'", "'\\''")}' >&4;`;
    const take = `line=\${line%$'\\r'}; case $line in "${hex(id)} "*) echo "\${line#* }"; exit;; *) echo "$line";; esac`;
    const read = `while IFS= read -r -t ${seconds} line <&3; do ${take}; done; exit 99`;
    const result = await this.#host.run(`exec 3<> ${this.#port}.out 4<> ${this.#port}.in; ${send} ${read}`, {
      timeout: timeout + 5_000,
      allowFailure: true,
      note: `${this.name} is asked '${line}' `,
    });
    if (result.code !== 0) throw this.#host.fail(`guest ${this.name} did not answer in ${seconds} s`);
    return result.stdout.replace(/\n$/, '');
  }

  /** Where the disk is now; undefined when libvirt knows none at this target. */
  async #place(disk: string): Promise<PciPlace | undefined> {
    const status = await this.#host.run(`cat '/run/libvirt/qemu/${this.name.replaceAll("'", "'\\''")}.xml'`, {
      allowFailure: true,
      note: `where is ${this.name}'s ${disk} `,
    });
    if (status.code !== 0) throw this.#host.fail(`guest ${this.name} is not running`);
    return placeOf(status.stdout, disk);
  }

  /** The disk's device node in a Linux guest. */
  async #device(disk = 'vda'): Promise<string> {
    const place = await this.#place(disk);
    const device = place && (await this.#deviceAt(place));
    if (device === undefined) throw this.#host.fail(`guest ${this.name} sees no disk ${disk}`);
    return device;
  }

  /** Waits a moment for the node of a disk that was just attached. */
  async #deviceAt({ slot, behind }: PciPlace): Promise<string | undefined> {
    const path = behind ? `0000:00:${behind}/*` : `0000:00:${slot.toString(16).padStart(2, '0')}.0`;
    const look = `set -- /sys/bus/pci/devices/${path}/virtio*/block/*; [ -e "$1" ] && break; sleep 0.3`;
    const name = (
      await this.sh(`for n in 1 2 3 4 5 6 7 8 9 10; do ${look}; done; [ -e "$1" ] && basename "$1"; true`)
    ).trim();
    return name === '' ? undefined : `/dev/${name}`;
  }
}

/** `result` undefined: it refused, and says why (see guests/tiny.s), at which sector, and what it found there. */
interface TinyAnswer {
  readonly result: string | undefined;
  readonly why: number;
  readonly where: number;
  readonly found: string;
}

const NO_DISK = 0x100;

function extent(size: string, { at = '0' }: WriteOptions): { first: number; count: number } {
  const [first, count] = [at, size].map((word) => {
    const bytes = parseSize(word);
    if (bytes % MiB !== 0n) throw new Error(`guests write whole mebibytes, not ${word}`);
    return Number(bytes / MiB);
  });
  return { first: first ?? 0, count: count ?? 0 };
}

function hex(id: number): string {
  return id.toString(16).padStart(8, '0');
}

function refusal(why: number, sector: number, found: string): string {
  if (why === NO_DISK) return 'there is no disk in that slot';
  if (why === 0x101) return 'the disk went away';
  if (why === 0x102) return `reads other data than were written, first at sector ${sector}: ${found}`;
  return `the disk reports error ${why} within the mebibyte at sector ${sector}`;
}
