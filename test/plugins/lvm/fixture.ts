// Real lvm2 on loop devices. Without device-mapper it still does all its metadata work, and hosts are simulated: each has
// an LVM_SYSTEM_DIR of its own, whose filter shows it only the devices it should see. In a host of the test bed, which
// sets SLTV_TEST_DEVICE_MAPPER, volumes get their devices, too.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Locks } from '../../../core/capabilities/locks.ts';
import type { Pool, Storage } from '../../../core/capabilities/storage.ts';
import { createLog } from '../../../core/log.ts';
import { createRunner, type Runner } from '../../../core/run.ts';
import { createLocalLocks } from '../../../plugins/local-lock/locks.ts';
import { createLvm } from '../../../plugins/lvm/commands.ts';
import { systemIdOf } from '../../../plugins/lvm/marks.ts';
import type { LockTimes } from '../../../plugins/lvm/measures.ts';
import { nodeOf } from '../../../plugins/lvm/names.ts';
import { createStorage } from '../../../plugins/lvm/storage.ts';

const execute = promisify(execFile);

export const never = new AbortController().signal;

/** Whether volumes get devices here. */
export const hasDeviceMapper = process.env.SLTV_TEST_DEVICE_MAPPER !== undefined;

export interface LoopVg extends AsyncDisposable {
  /** Unique on this machine. */
  readonly name: string;
  /** Where this test keeps its files. */
  readonly directory: string;
  /** The first is the VG's, unless it was made without; others are blank. */
  readonly devices: readonly string[];
  /** Another daemon, on the same host or, by another name, on another one that sees the same devices. */
  open(options?: OpenOptions): Promise<Opened>;
  /** What makes lvm the first host's. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs lvm by hand, and answers with what it printed. */
  lvm(...words: string[]): Promise<string>;
  /** What the VG says of itself: `vgs -o FIELD`. */
  vg(field: string): Promise<string>;
  /** The VG's sequence number: one more with each commit. */
  sequence(): Promise<number>;
}

export interface OpenOptions {
  readonly host?: string;
  /** Default: the VG's name. */
  readonly vgs?: readonly string[];
  readonly locks?: Locks;
  /** Default: the host's own; `PATH` may put a shim before lvm. */
  readonly env?: Readonly<Record<string, string>>;
  /** More of this host's lvm.conf. */
  readonly conf?: string;
  readonly now?: () => number;
  readonly times?: LockTimes;
  /** Default: as long as the VG. */
  readonly life?: AbortSignal;
}

/** One daemon's view. */
export interface Opened {
  readonly storage: ReturnType<typeof createStorage>;
  readonly pool: () => Promise<Pool>;
  /** Names of the commands that have ended, in order: `lvm lvcreate`. `take` empties the list. */
  readonly take: () => string[];
  /** What was logged: `LEVEL message`. */
  readonly said: string[];
}

/** Makes a VG on fresh loop devices of these sizes (as truncate(1) takes them); `vg: false` leaves them blank. */
export async function loopVg(
  options: { sizes?: readonly number[]; vg?: boolean; create?: readonly string[] } = {},
): Promise<LoopVg> {
  const { sizes = [256], vg = true, create = [] } = options;
  const directory = await mkdtemp(join(tmpdir(), 'sltv-lvm-'));
  const name = `vg-${directory.slice(-6)}`;
  const devices: string[] = [];
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rm(directory, { recursive: true }));
  for (const [index, size] of sizes.entries()) {
    const device = await attach(join(directory, `pv${index}`), size);
    devices.push(device);
    undo.defer(async () => void (await execute('losetup', ['--detach', device])));
  }
  const env = await systemDirectory(directory, 'host', devices);
  const lvm = async (...words: string[]) => (await execute('lvm', words, { env: { ...process.env, ...env } })).stdout;
  if (hasDeviceMapper) undo.defer(async () => void (await lvm('vgchange', '-an')));
  if (vg) await lvm('vgcreate', '--quiet', ...create, name, devices[0] ?? '');
  const field = async (what: string) => (await lvm('vgs', '--foreign', '--noheadings', '-o', what, name)).trim();
  // What a daemon does behind its answers would go on, and leave files where all were taken away.
  const life = new AbortController();
  undo.defer(() => life.abort());
  const all = undo.move();
  return {
    name,
    directory,
    devices,
    env,
    lvm,
    vg: field,
    sequence: async () => Number(await field('vg_seqno')),
    open: async (how = {}) => openOn({ directory, name, devices }, { life: life.signal, ...how }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The pool by this name among those that the storage has. */
export async function poolOf(storage: Storage, name: string): Promise<Pool> {
  const pool = (await storage.pools(never, name)).find((candidate) => candidate.name === name);
  if (!pool) throw new Error(`there is no pool ${name}`);
  return pool;
}

/** MiB. */
export const MEBIBYTE = 1024 * 1024;

async function attach(file: string, mebibytes: number): Promise<string> {
  await writeFile(file, '');
  await truncate(file, mebibytes * MEBIBYTE);
  return (await execute('losetup', ['--find', '--show', file])).stdout.trim();
}

type Place = Pick<LoopVg, 'directory' | 'name' | 'devices'>;

async function openOn({ directory, name, devices }: Place, how: OpenOptions): Promise<Opened> {
  const {
    host = 'host',
    vgs = [name],
    locks = createLocalLocks(host, never),
    env = {},
    conf,
    now,
    times,
    life = never,
  } = how;
  const hostEnv = { ...(await systemDirectory(directory, host, devices, conf)), ...env };
  const commands: string[] = [];
  const said: string[] = [];
  const run = withEnvironment(
    createRunner({ lockDirectory: join(directory, host, 'run'), finished: ({ command }) => commands.push(command) }),
    hostEnv,
  );
  const log = createLog({ level: 'debug', format: 'text', write: (line) => said.push(line.slice(13)) });
  const lvm = createLvm(run, systemIdOf(locks.domain));
  const node = { id: host, machineId: host, bootId: `boot-of-${host}` };
  const storage = createStorage({
    lvm,
    locks,
    log,
    vgs,
    node,
    life,
    ...(now ? { now } : {}),
    ...(times ? { times } : {}),
  });
  return { storage, said, pool: () => poolOf(storage, name), take: () => commands.splice(0) };
}

function withEnvironment(run: Runner, env: Readonly<Record<string, string>>): Runner {
  return {
    ...run,
    read: (program, args, options) => run.read(program, args, { ...options, env: { ...options.env, ...env } }),
    write: (program, args, options) => run.write(program, args, { ...options, env: { ...options.env, ...env } }),
  };
}

async function systemDirectory(directory: string, host: string, devices: readonly string[], conf = '') {
  const own = join(directory, host);
  await mkdir(own, { recursive: true });
  const accepted = devices.map((device) => `"a|^${device}$|"`).join(', ');
  await writeFile(
    join(own, 'lvm.conf'),
    `global { activation=${hasDeviceMapper ? 1 : 0} use_aio=0 event_activation=0 locking_dir="${own}/lock" }
     devices { global_filter=[ ${accepted}, "r|.*|" ] use_devicesfile=0 }
     backup { backup_dir="${own}/backup" archive_dir="${own}/archive" }\n${conf}\n`,
  );
  return { LVM_SYSTEM_DIR: own, LVM_SUPPRESS_FD_WARNINGS: '1' };
}

/**
 * Puts other bytes where a device has its label and metadata, and answers with those that were there; without `bytes` it looks
 * blank to LVM. A loop device that is detached for a while would be another test's at once.
 */
export async function replaceHead(device: string, bytes: Buffer = Buffer.alloc(2 * MEBIBYTE)): Promise<Buffer> {
  await using file = await open(device, 'r+');
  const before = Buffer.alloc(bytes.length);
  await file.read(before, 0, before.length, 0);
  await file.write(bytes, 0, bytes.length, 0);
  await file.sync();
  return before;
}

/** Where a volume's device would be, a node that leads to another block device. */
export async function deviceNode({ name }: LoopVg, volume: string, device: string): Promise<AsyncDisposable> {
  const path = nodeOf(name, volume);
  await mkdir(dirname(path), { recursive: true });
  await execute('cp', ['--archive', device, path]);
  return { [Symbol.asyncDispose]: () => rm(path) };
}

/** Puts a shell script before lvm: it finds lvm's words in `$@`, and calls the real one as `$LVM`. */
export async function shim(directory: string, script: string): Promise<{ PATH: string }> {
  const bin = await mkdtemp(join(directory, 'bin-'));
  const { stdout } = await execute('sh', ['-c', 'command -v lvm']);
  await writeFile(join(bin, 'lvm'), `#!/bin/sh\nLVM=${stdout.trim()}\n${script}\n`, { mode: 0o755 });
  return { PATH: `${bin}:${process.env.PATH ?? ''}` };
}

/** A named pipe: what one side waits for, the other says. */
export async function fifo(
  path: string,
): Promise<{ readonly path: string; heard(): Promise<string>; say(): Promise<void> }> {
  await execute('mkfifo', [path]);
  return { path, heard: () => readFile(path, 'utf8'), say: () => writeFile(path, 'go\n') };
}
