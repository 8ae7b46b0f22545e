// One host of the test bed: its lives, one after the other, over the same disks, and what one can do in it.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { parseSize } from '../../core/units.ts';
import { paths } from './bootfiles.ts';
import type { Ended } from './control.ts';
import { type Guest, type GuestOptions, makeGuest } from './guest.ts';
import { type Machine, startMachine } from './machine.ts';
import type { Plug } from './network.ts';
import { diskFile, makeRunDirectory, record, removeDisks } from './rundir.ts';
import { Stream } from './stream.ts';

export interface HostOptions {
  /** Its host name, `host` when not given; also the beginning of its log directory's. */
  readonly name?: string;
  /** /dev/vda, /dev/vdb, …: a size for an empty disk of its own, or a raw file that the caller keeps. */
  readonly disks?: readonly (string | { readonly file: string })[];
  /** MiB; 768 when not given. */
  readonly memory?: number;
  readonly cpus?: number;
  /** Text by absolute path inside, there before anything is started; programs with their mode. */
  readonly files?: Readonly<Record<string, string | { readonly text: string; readonly mode: number }>>;
  /** false: no libvirtd, and up in half the time. */
  readonly libvirt?: boolean;
  /** It boots systemd, which starts these units of `files` beside libvirt's; else a few lines of shell. */
  readonly systemd?: readonly string[];
  /** Milliseconds that a boot may take, 120,000 when not given; with systemd 300,000. */
  readonly bootTimeout?: number;
}

/** As Debian's packages enable them. */
const LVM_UNITS = ['blk-availability', 'dm-event.socket', 'lvm2-lvmpolld.socket'];
const LIBVIRT_UNITS = ['libvirtd', 'libvirt-guests', 'virtlockd.socket', 'virtlogd.socket'];

/** What joins it to the others of a cluster. */
export interface Wiring {
  readonly plug: Plug;
  /** An iSCSI target's address; it logs in to all that is there, at each boot. */
  readonly portal?: string;
}

export interface RunOptions {
  /** Milliseconds after which it is killed and an error thrown; 180,000 when not given. */
  readonly timeout?: number;
  /** Its stdin; empty when not given. */
  readonly input?: string | Uint8Array;
  /** Give back a failure instead of throwing it. */
  readonly allowFailure?: boolean;
  /** What the transcript has instead of the command and its output, where these would only hide the rest. */
  readonly note?: string;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** 128 + n after signal n. */
  readonly code: number;
  /** Measured inside the host, from the shell's start to its end. */
  readonly ms: number;
}

export class Host implements AsyncDisposable {
  readonly name: string;
  /** Console, libvirtd's log and the transcript of every command: .cache/testbed/run/NAME-PID-N. */
  readonly directory: string;
  readonly #options: HostOptions;
  readonly #plug: Plug | undefined;
  readonly #uuid = randomUUID();
  readonly #disks: string[];
  readonly #systemDisk: string;
  #machine: Machine | undefined;
  #streams = 0;

  /** Not yet powered on; `testbed.host` is how to get one. */
  constructor(options: HostOptions, wiring?: Wiring) {
    this.#options = options;
    this.#plug = wiring?.plug;
    this.name = options.name ?? 'host';
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(this.name)) throw new Error(`'${this.name}' is no host name`);
    this.directory = makeRunDirectory(this.name);
    this.#systemDisk = diskFile(this.directory, 'system');
    this.#disks = (options.disks ?? []).map((disk, n) => {
      if (typeof disk !== 'string') return disk.file;
      const file = diskFile(this.directory, `disk${n}`);
      writeFileSync(file, '');
      truncateSync(file, Number(parseSize(disk)));
      return file;
    });
    writeFileSync(join(this.directory, 'name'), this.name);
    writeFileSync(join(this.directory, 'repository'), paths.root);
    const hasLibvirt = options.libvirt ?? true;
    if (hasLibvirt) writeFileSync(join(this.directory, 'libvirt'), '');
    if (options.systemd !== undefined) {
      const units = ['testbed-agent', ...LVM_UNITS, ...(hasLibvirt ? LIBVIRT_UNITS : []), ...options.systemd];
      writeFileSync(join(this.directory, 'systemd'), units.join(' '));
    }
    if (wiring !== undefined) writeFileSync(join(this.directory, 'address'), wiring.plug.address);
    if (wiring?.portal !== undefined) writeFileSync(join(this.directory, 'portal'), wiring.portal);
    const machineId = this.#uuid.replaceAll('-', '');
    const files: HostOptions['files'] = { '/etc/machine-id': `${machineId}\n`, ...options.files };
    for (const [path, content] of Object.entries(files)) {
      const { text, mode } = typeof content === 'string' ? { text: content, mode: 0o644 } : content;
      const file = join(this.directory, 'files', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text, { mode });
    }
  }

  /** Makes its system disk and powers it on for the first time. */
  async create(): Promise<void> {
    await promisify(execFile)('cp', ['--sparse=always', paths.systemDisk, this.#systemDisk]);
    await this.boot();
  }

  /** Powers it on; returns when it takes commands, udev has settled and libvirtd answers. */
  async boot(): Promise<void> {
    if (this.#machine !== undefined) throw this.fail('it is running already');
    const { memory = 768, cpus = 1, libvirt = true, systemd } = this.#options;
    const { bootTimeout = systemd === undefined ? 120_000 : 300_000 } = this.#options;
    record(this.directory, '--- power on');
    const begun = performance.now();
    const machine = startMachine({
      directory: this.directory,
      disks: this.#disks,
      systemDisk: this.#systemDisk,
      uuid: this.#uuid,
      memory,
      cpus,
      plug: this.#plug,
    });
    this.#machine = machine;
    try {
      await within(bootTimeout, machine.control.answered);
    } catch (error) {
      await this.powerCut();
      throw this.fail(`it did not boot: ${messageOf(error)}; the end of its console:\n${this.#console()}`);
    }
    const isBooted = systemd === undefined ? 'true' : '{ systemctl is-system-running --wait || true; }';
    const isUp = libvirt ? 'until virsh -q list > /dev/null 2>&1; do sleep 0.05; done' : 'true';
    await this.run(`${isBooted} && udevadm settle && ${isUp}`, { timeout: bootTimeout });
    record(this.directory, `--- up after ${Math.round(performance.now() - begun)} ms`);
  }

  /** Runs a shell command (bash) inside; throws, with what it said, when it fails. Any number may run at once. */
  async run(command: string, options: RunOptions = {}): Promise<RunResult> {
    const { timeout = 180_000, input, allowFailure = false, note } = options;
    const stdout = new Text();
    const stderr = new Text();
    const { promise: ended, resolve, reject } = Promise.withResolvers<Ended>();
    const remote = this.#running().control.run(command, input !== undefined, {
      stdout: (data) => stdout.add(data),
      stderr: (data) => stderr.add(data),
      ended: (how) => (how instanceof Error ? reject(how) : resolve(how)),
    });
    if (input !== undefined) {
      remote.input(Buffer.from(input));
      remote.endInput();
    }
    const said = () => `${stdout.value}${stderr.value}`;
    const recorded = (end: string) => record(this.directory, `${note ?? `$ ${command}\n${said()}`}[${end}]`);
    let end: Ended;
    try {
      end = await within(timeout, ended);
    } catch (error) {
      remote.kill(9);
      recorded(messageOf(error));
      throw this.fail(`'${command}': ${messageOf(error)}\n${said()}`);
    }
    recorded(`${end.code}, ${Math.round(end.ms)} ms`);
    if (end.code !== 0 && !allowFailure) throw this.fail(`'${command}' ended with status ${end.code}:\n${said()}`);
    return { stdout: stdout.value, stderr: stderr.value, ...end };
  }

  /** Starts a shell command that runs on; it is read line by line, and killed with the host. */
  start(command: string): Stream {
    this.#streams += 1;
    const log = `stream-${this.#streams}`;
    record(this.directory, `$ ${command} &   (${log})`);
    const stream = new Stream(command, (message) => this.fail(message));
    const noted = (data: string) => record(this.directory, data.replace(/^(?=.)/gm, `${log}: `));
    const text = new Text();
    const remote = this.#running().control.run(command, false, {
      stdout: (data) => {
        const added = text.add(data);
        noted(added);
        stream.take(added);
      },
      stderr: (data) => noted(data.toString()),
      ended: (how) => {
        record(this.directory, `${log}: [${how instanceof Error ? how.message : how.code}]`);
        stream.end(how);
      },
    });
    stream.attach(remote);
    return stream;
  }

  /** Runs a shell command inside whose stdin, stdout and stderr are these; its status. */
  async attach(command: string, streams: { stdin: Readable; stdout: Writable; stderr: Writable }): Promise<number> {
    const { promise: ended, resolve, reject } = Promise.withResolvers<Ended>();
    const remote = this.#running().control.run(command, true, {
      stdout: (data) => streams.stdout.write(data),
      stderr: (data) => streams.stderr.write(data),
      ended: (how) => (how instanceof Error ? reject(how) : resolve(how)),
    });
    streams.stdin.on('data', (data: Buffer) => remote.input(data));
    streams.stdin.on('end', () => remote.endInput());
    return (await ended).code;
  }

  /** Defines a guest in the host's libvirt, and starts it unless told not to. */
  guest(name: string, options: GuestOptions = {}): Promise<Guest> {
    return makeGuest(this, name, options);
  }

  /** The plug is pulled: what was not synced is lost. `boot` powers it on again. */
  async powerCut(): Promise<void> {
    const machine = this.#machine;
    if (machine === undefined) return;
    record(this.directory, '--- power cut');
    machine.control.lose(new Error('the power was cut'));
    machine.signal('SIGKILL');
    await machine.exited;
    this.#machine = undefined;
  }

  /** Stops its clock and everything in it, as a hung host; commands wait, within their timeouts. */
  freeze(): void {
    this.#running().signal('SIGSTOP');
  }

  thaw(): void {
    this.#running().signal('SIGCONT');
  }

  /** Shuts it down in an orderly way: processes end, file systems are synced. `boot` powers it on again. */
  async shutdown(): Promise<void> {
    const machine = this.#running();
    const patience = this.#options.systemd === undefined ? 30_000 : 300_000;
    record(this.directory, '--- shutdown');
    machine.control.halt();
    try {
      await within(patience, machine.exited);
      this.#machine = undefined;
    } catch {
      await this.powerCut();
      throw this.fail(`it did not shut down in ${patience / 1000} s; the end of its console:\n${this.#console()}`);
    }
  }

  async reboot(): Promise<void> {
    await this.shutdown();
    await this.boot();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.powerCut();
    removeDisks(this.directory);
  }

  /** An error about this host, which says where its logs are. */
  fail(message: string): Error {
    return new Error(`host ${this.name}: ${message.trimEnd()}\n(logs: ${this.directory})`);
  }

  #console(): string {
    return readFileSync(join(this.directory, 'console'), 'utf8').slice(-2_000);
  }

  #running(): Machine {
    if (this.#machine === undefined) throw this.fail('it is off');
    return this.#machine;
  }
}

/** Bytes that arrive in pieces, as text; a character that is cut in two is not lost. */
class Text {
  value = '';
  readonly #decoder = new TextDecoder();

  add(data: Uint8Array): string {
    const added = this.#decoder.decode(data, { stream: true });
    this.value += added;
    return added;
  }
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer in ${milliseconds} ms`)), milliseconds);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
