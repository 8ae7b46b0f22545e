// Runs in a test-bed host: ROUNDS, the uuid of our guest, the uuid of the one for bare commands, the daemon's pid. Prints JSON.
//
// In the first round the daemon's commands are recorded. In the others the same commands are run once more, by themselves and
// one after another, on a VG, a volume and a guest of their own. Some rounds pass untimed: a daemon runs for months. What the
// daemon does behind its answers is waited for before anything is timed: on a host with one processor it would slow the other
// side down.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../core/client/index.ts';
import { commandsOf } from '../commands-of.ts';

export interface Measured {
  readonly operation: string;
  /** `lvm lvcreate`, … in their order. */
  readonly commands: readonly string[];
  readonly commits: number;
  readonly reports: number;
  /** Milliseconds: `ours` as the daemon counts them, from a request to its answer; `seen` as its client does. */
  readonly ours: readonly number[];
  readonly seen: readonly number[];
  readonly bare: readonly number[];
  readonly naive: readonly number[];
  readonly goals: { readonly ratio?: number; readonly commits?: number; readonly reports?: number };
}

interface Operation {
  readonly operation: string;
  readonly goals: Measured['goals'];
  readonly ask: (round: number) => Promise<unknown>;
  /** What one would type without sltv; lines of shell, on volume `$lv` of VG bare and guest bare. */
  readonly naive: string;
  /** Which of the round's two disks it is about. */
  readonly disk: 'thick' | 'thin';
  /** A report that the daemon makes behind its answer. */
  readonly isReportBehind?: boolean;
}

const [rounds = 0, ours = '', bare = '', daemon = ''] = [Number(process.argv[2]), ...process.argv.slice(3)];
/** Rounds of the daemon alone, and of all sides, that pass untimed; the former's disks have numbers from here on. */
const LIVED = 8;
const WARM_UP = 1;
const FIRST_LIVED = 100;
const { sltv, pools } = connect({ timeout: 120_000 });
const MiB = 1024 * 1024;
const size = (mebibytes: number) => String(mebibytes * MiB);
const OWN = { ratio: 1.15 };

const OPERATIONS: readonly Operation[] = [
  {
    operation: 'create thick',
    goals: { ...OWN, commits: 1, reports: 1 },
    ask: (round) =>
      sltv.createDisk({ name: `thick-${round}`, vg: 'ours', mode: 'PROVISION_MODE_THICK', sizeBytes: size(64) }),
    naive: 'lvcreate -q -y -L 64M -n $lv bare',
    disk: 'thick',
  },
  {
    operation: 'extend thick',
    goals: { ...OWN, commits: 1, reports: 1 },
    ask: (round) => sltv.extendDisk({ name: `ours/thick-${round}`, sizeBytes: size(96) }),
    naive: 'lvextend -q -L 96M bare/$lv',
    disk: 'thick',
  },
  {
    operation: 'create thin',
    goals: { ...OWN, commits: 2 },
    ask: (round) =>
      sltv.createDisk({
        name: `thin-${round}`,
        vg: 'ours',
        mode: 'PROVISION_MODE_THIN',
        sizeBytes: size(64),
        virtualSizeBytes: size(1024),
      }),
    naive: 'lvcreate -q -y -L 64M -n $lv bare && qemu-img create -q -f qcow2 /dev/bare/$lv 1G',
    disk: 'thin',
  },
  {
    operation: 'resize thin',
    goals: OWN,
    ask: (round) => sltv.resizeDisk({ name: `ours/thin-${round}`, virtualSizeBytes: size(2048) }),
    naive: 'qemu-img resize -q /dev/bare/$lv 2G',
    disk: 'thin',
  },
  {
    operation: 'attach thin',
    goals: OWN,
    ask: (round) => sltv.attachDisk({ diskName: `ours/thin-${round}`, vmName: ours }),
    naive: 'virsh -q attach-disk bare /dev/bare/$lv vdz --driver qemu --subdriver qcow2 --live --config',
    disk: 'thin',
  },
  {
    operation: 'extend thin in a guest',
    goals: { ...OWN, commits: 1, reports: 1 },
    ask: (round) => sltv.extendDisk({ name: `ours/thin-${round}`, sizeBytes: size(96) }),
    naive: 'lvextend -q -L 96M bare/$lv',
    disk: 'thin',
  },
  {
    operation: 'detach thin',
    // Most of it is the guest's answer.
    goals: {},
    ask: (round) => sltv.detachDisk({ diskName: `ours/thin-${round}`, vmName: ours }),
    naive: 'virsh -q detach-disk bare vdz --live --config; while virsh domblklist bare | grep -q vdz; do :; done',
    disk: 'thin',
  },
  {
    operation: 'delete thin',
    goals: OWN,
    ask: (round) => sltv.deleteDisk({ name: `ours/thin-${round}` }),
    naive: 'lvremove -q -y bare/$lv',
    disk: 'thin',
    isReportBehind: true,
  },
  {
    operation: 'delete thick',
    goals: OWN,
    ask: (round) => sltv.deleteDisk({ name: `ours/thick-${round}` }),
    naive: 'lvremove -q -y bare/$lv',
    disk: 'thick',
    isReportBehind: true,
  },
];

type Taken = Record<'ours' | 'seen' | 'bare' | 'naive', number[]>;

interface Recorded {
  readonly commands: readonly (readonly string[])[];
  readonly commits: number;
}

const atLeast = await fewestCommands();
const recorded = new Map<Operation, Recorded>();
for (const operation of OPERATIONS) recorded.set(operation, await record(operation));
// The daemon finds the real programs from now on.
rmSync('/bench/bin', { recursive: true });
for (let round = 1; round <= LIVED; round++) for (const { ask } of OPERATIONS) await ask(FIRST_LIVED + round);
const times = new Map(
  OPERATIONS.map((operation): [Operation, Taken] => [operation, { ours: [], seen: [], bare: [], naive: [] }]),
);
for (let round = 1; round <= WARM_UP + rounds; round++) {
  for (const [operation, taken] of times) {
    const sides = [
      ['ours', () => operation.ask(round)],
      ['bare', () => replay(recorded.get(operation)?.commands ?? [], operation, round)],
      ['naive', () => shell(operation.naive, `naive-${operation.disk}-${round}`)],
    ] as const;
    const took = { ours: 0, bare: 0, naive: 0 };
    // Each of them comes first, in the middle, and last.
    for (const [side, work] of [...sides.slice(round % 3), ...sides.slice(0, round % 3)]) {
      await atRest();
      took[side] = await timed(work);
    }
    if (round <= WARM_UP) continue;
    // Its log is written behind its answers, too.
    await sleep(200);
    taken.ours.push(lastCall());
    taken.seen.push(took.ours);
    taken.bare.push(took.bare);
    taken.naive.push(took.naive);
  }
}
process.stdout.write(JSON.stringify([...times].map(([operation, taken]) => measured(operation, taken))));

async function record(operation: Operation): Promise<Recorded> {
  await atRest();
  writeFileSync('/bench/commands', '');
  const before = sequence();
  await operation.ask(0);
  const lines = readFileSync('/bench/commands', 'utf8').split('\n').filter(Boolean);
  // Once a minute the daemon writes what is late, on whichever disk: one commit each.
  const other = operation.disk === 'thick' ? 'thin-0' : 'thick-0';
  const late = lines.filter((line) => line.includes(other));
  const own = lines.filter((line) => !late.includes(line)).map((line) => line.split('\t'));
  // Nobody waits for the look for Volume Groups, whichever operation it falls into.
  const behind = operation.isReportBehind ? ['fullreport', 'vgs'] : ['vgs'];
  const commands = own.filter((words) => !behind.some((report) => words.includes(report)));
  return { commands, commits: sequence() - before - late.length };
}

/**
 * Waits until the daemon has done what follows behind its answers. A look for Volume Groups comes a second after some call
 * every ten seconds: here after this one.
 */
async function atRest(): Promise<void> {
  await pools.list();
  for (let quiet = 0; quiet < 1_300; quiet += 50) {
    await sleep(50);
    if (commandsOf(daemon).length > atLeast) quiet = 0;
  }
}

/** Those that a daemon at rest has, such as the one that listens to events: guests have just started, so it may be at work. */
async function fewestCommands(): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY;
  for (let waited = 0; waited < 5_000; waited += 50) {
    await sleep(50);
    fewest = Math.min(fewest, commandsOf(daemon).length);
  }
  return fewest;
}

function sequence(): number {
  return Number(shell('/usr/sbin/vgs --noheadings -o vg_seqno ours', ''));
}

/** How long the daemon says that it had the last call that changed something, in milliseconds. Its log has those alone. */
function lastCall(): number {
  const lines = readFileSync('/var/log/sltv.log', 'utf8').split('\n');
  const last = lines.findLast((line) => line.includes('"call answered"')) ?? '';
  // A line of the daemon's.
  return (JSON.parse(last) as { milliseconds: number }).milliseconds;
}

async function timed(work: () => unknown): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** The recorded commands once more, on the other VG, the other guest, and this round's volume. */
function replay(commands: readonly (readonly string[])[], { disk }: Operation, round: number): void {
  const translate = (text: string) =>
    text
      .replaceAll(`${disk}-0`, `${disk}-${round}`)
      .replaceAll(ours, bare)
      .replaceAll(/\bours\b/g, 'bare')
      .replaceAll('/dev/vda', '/dev/vdb');
  for (const [program = '', ...words] of commands) {
    // The file that a device's XML stood in is gone; the recorder kept a copy.
    const kept = words.map((word) =>
      translate(word).replace(/--file=\S*\/(\S+)/, (_, file: string) => {
        writeFileSync(`/bench/again-${file}`, translate(readFileSync(`/bench/${file}`, 'utf8')));
        return `--file=/bench/again-${file}`;
      }),
    );
    try {
      run(program, kept, {});
    } catch (error) {
      // The daemon asks once more while a guest is slow to answer; this guest may have been quicker.
      if (!words.some((word) => word.startsWith('detach-')) || !String(error).includes('No disk found')) throw error;
    }
  }
}

function shell(script: string, lv: string): string {
  return run('sh', ['-ec', script], { lv });
}

function run(program: string, words: readonly string[], env: Readonly<Record<string, string>>): string {
  const { status, stdout, stderr } = spawnSync(program, words, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', LVM_SUPPRESS_FD_WARNINGS: '1', ...env },
  });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

function measured(operation: Operation, taken: Taken): Measured {
  const { commands = [], commits = 0 } = recorded.get(operation) ?? {};
  const names = commands.map(
    ([program, ...words]) => `${program} ${/^[a-z-]+/.exec(words.find((word) => /^[a-z]/.test(word)) ?? '') ?? ''}`,
  );
  const reports = names.filter((name) => /^lvm (fullreport|lvs|vgs|pvs)$/.test(name)).length;
  return { operation: operation.operation, goals: operation.goals, commands: names, commits, reports, ...taken };
}
