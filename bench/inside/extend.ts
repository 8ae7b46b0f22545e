// Runs in a test-bed host: ROUNDS, the daemon's pid, the PCI slots of the two disks of guest load. Prints JSON.
//
// The guest writes at full speed all the time: to the disk that the daemon extends until that is done, then to the other
// while that one is extended bare. The kernel itself tells of a device that has grown, so nothing is polled while either is
// timed. What the daemon's commands take is recorded in rounds of their own, because recording costs.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandsOf } from '../commands-of.ts';

/** Milliseconds. */
export interface Extension {
  /** From the event, or from the start of the command, until the guest can write there. */
  readonly toGrown: number;
  /** The whole command; undefined for the daemon's. */
  readonly toEnd?: number;
}

export interface Measured {
  readonly ours: readonly Extension[];
  readonly bare: readonly Extension[];
  /** Rounds in which the volume had grown before its event came: not counted among `ours`. */
  readonly early: number;
  readonly pauses: number;
  /** MiB a second that the guest wrote. */
  readonly speed: number;
  /** Of each recorded round, milliseconds after the event. */
  readonly steps: readonly Readonly<Record<string, number>>[];
}

interface Side {
  readonly slot: string;
  readonly device: string;
  /** The next MiB to write. */
  at: number;
  /** Where writing begins anew. */
  readonly end: number;
}

const [rounds, daemon = '', ...slots] = [Number(process.argv[2]), ...process.argv.slice(3)];
/** Rounds that are recorded, not timed. */
const RECORDED = 6;
const COMMANDS = '/bench/commands';
const PORT = '/var/lib/testbed/guests/load';
/** MiB of one request to the guest. */
const CHUNK = 16;

const ours: Side = { slot: slots[0] ?? '', device: deviceOf('/dev/ours/disk'), at: 0, end: Number.POSITIVE_INFINITY };
const bare: Side = { slot: slots[1] ?? '', device: deviceOf('/dev/bare/disk'), at: 0, end: 512 };
const commands = commandsOf(daemon).length;
const crossings = news<number>();
const growths = news<{ readonly device: string; readonly at: number }>();
let pauses = 0;
const watchers = [watchGuest(), watchDevices()];
// Both listen by then.
await sleep(3_000);

const result = { ours: [] as Extension[], bare: [] as Extension[], early: 0 };
const steps: Record<string, number>[] = [];
let side: Side | undefined = ours;
const begun = performance.now();
const load = writeOn();
for (let round = -RECORDED; round < rounds; round += 1) {
  if (round === 0) rmSync('/bench/bin', { recursive: true, force: true });
  writeFileSync(COMMANDS, '');
  crossings.clear();
  growths.clear();
  side = ours;
  const first = await Promise.race([crossings.first(), growths.first().then(() => undefined)]);
  if (first === undefined) {
    result.early += 1;
    await atRest();
    continue;
  }
  const grown = await growths.first();
  side = bare;
  await atRest();
  growths.clear();
  const extension = await extendBare();
  console.error(`round ${round}: ours ${Math.round(grown.at - first)} ms, bare`, extension);
  if (round < 0) steps.push(stepsOf(first, grown.at));
  else {
    result.ours.push({ toGrown: grown.at - first });
    result.bare.push(extension);
  }
  await atRest();
}
side = undefined;
const written = await load;
const speed = written / ((performance.now() - begun) / 1000);
for (const watcher of watchers) watcher.kill();
const measured: Measured = { ...result, pauses, speed, steps };
process.stdout.write(JSON.stringify(measured), () => process.exit(0));

/** Keeps the guest writing to whichever side it is, until there is none; the MiB written. */
async function writeOn(): Promise<number> {
  // By a process that can be ended: a read of ours that nobody answers would keep this one from ending.
  const port = spawn('cat', [`${PORT}.out`], { stdio: ['ignore', 'pipe', 'inherit'] });
  watchers.push(port);
  const answers = createInterface(port.stdout)[Symbol.asyncIterator]();
  const questions = createWriteStream(`${PORT}.in`, { flags: 'r+' });
  let sum = 0;
  for (let id = 0x1000; side !== undefined; id += 1) {
    const to: Side = side;
    questions.write(`w ${hex(id)} ${to.slot} ${hex(to.at)} ${hex(CHUNK)} 1\n`);
    const answer = await answers.next();
    const said = String(answer.value).trim();
    if (!said.startsWith(`${hex(id).padStart(8, '0')} =`)) throw new Error(`guest load answers '${said}'`);
    sum += CHUNK;
    to.at = (to.at + CHUNK) % to.end;
  }
  return sum;
}

async function extendBare(): Promise<Extension> {
  const start = now();
  const command = spawn('lvextend', ['-q', '-L', '+64M', 'bare/disk'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, LVM_SUPPRESS_FD_WARNINGS: '1' },
  });
  const ended = once(command, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`lvextend ended with ${code}`);
    return now();
  });
  const { at } = await growths.first();
  return { toGrown: at - start, toEnd: (await ended) - start };
}

/** Tells of crossings, by the clock of whoever heard them first; counts what stops the guest. */
function watchGuest() {
  const clocks = Date.now() - now();
  return watch('virsh', ['event', '--all', '--loop', '--timestamp'], (line) => {
    const [, date, time, rest = ''] = /^(\S+) ([\d:.]+)\+0000: event (.*)/.exec(line) ?? [];
    if (/'lifecycle'.*\bSuspended\b/.test(rest)) pauses += 1;
    // It is told twice, also by the image's index.
    if (/'block-threshold'.* dev: \w+\(/.test(rest)) crossings.tell(Date.parse(`${date}T${time}Z`) - clocks);
  });
}

function watchDevices() {
  const sizes = new Map([ours.device, bare.device].map((device) => [device, sizeOf(device)]));
  const words = ['-oL', 'udevadm', 'monitor', '--kernel', '--subsystem-match=block'];
  return watch('stdbuf', words, (line) => {
    const [, at, device = ''] = /^KERNEL\[([\d.]+)\] change +\S+\/(dm-\d+) /.exec(line) ?? [];
    const before = sizes.get(device);
    if (before === undefined || sizeOf(device) <= before) return;
    sizes.set(device, sizeOf(device));
    growths.tell({ device, at: Number(at) * 1000 });
  });
}

function watch(
  program: string,
  words: readonly string[],
  hear: (line: string) => void,
): ChildProcessByStdio<null, Readable, null> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface(child.stdout).on('line', hear);
  return child;
}

/** The first that was told since it was cleared, or will be. */
function news<T>() {
  const told: T[] = [];
  let arrived = Promise.withResolvers<void>();
  return {
    clear: () => void told.splice(0),
    tell(one: T) {
      told.push(one);
      arrived.resolve();
      arrived = Promise.withResolvers();
    },
    async first(): Promise<T> {
      for (;;) {
        const [one] = told;
        if (one !== undefined) return one;
        await arrived.promise;
      }
    },
  };
}

/** When the daemon's commands began and ended, after the event. */
function stepsOf(event: number, grown: number): Record<string, number> {
  const lines = readFileSync(COMMANDS, 'utf8').split('\n').filter(Boolean);
  const times: Record<string, number> = { 'device grown': grown - event };
  for (const line of lines) {
    const [step = '', at] = line.split('\t');
    times[step] ??= Number(at) * 1000 - event;
  }
  return times;
}

/** Waits until the daemon has done what follows an extension, but not for looks that a slow host makes endless. */
async function atRest(): Promise<void> {
  const deadline = now() + 5_000;
  for (let quiet = 0; quiet < 500 && now() < deadline; quiet += 50) {
    await sleep(50);
    if (commandsOf(daemon).length > commands) quiet = 0;
  }
}

function deviceOf(path: string): string {
  return basename(readlinkSync(path));
}

function sizeOf(device: string): number {
  return Number(readFileSync(`/sys/class/block/${device}/size`, 'utf8'));
}

/** Milliseconds of the clock that the kernel's events bear. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function hex(number: number): string {
  return number.toString(16);
}
