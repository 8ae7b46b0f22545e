// Kills the daemon at every command by which an operation changes something, and looks at what its successor makes of it.
//
// Shims stand before lvm, qemu-img and virsh on the daemon's PATH. Each operation has a Volume Group, and perhaps a VM, to
// itself, by which a shim knows its commands; it holds the Nth that changes something. When all operations of a round are
// held, the daemon is killed, its successor starts, and the held commands run as the orphans that they are. A daemon that
// dies at a command which only reads leaves what the command before it left, so those are let through. The orphans run as
// late as they can: when the successor waits for them, or has not waited.
import * as assert from 'uvu/assert';
import { type Daemon, type DaemonOptions, startDaemon } from '../testbed/daemon.ts';
import type { Host, Stream } from '../testbed/index.ts';
import { asking, atRest, type Disk, disks, type Request, succeed } from './api.ts';
import { contradictions, look } from './facts.ts';

export interface Operation {
  readonly title: string;
  readonly vg: string;
  /** In the command line of a virsh that acts for this operation: a shell pattern. */
  readonly vm?: string;
  /** How often it is asked for; in the last round nothing is held any more. */
  readonly rounds: number;
  /** How often the daemon dies of it: as many commands change something. */
  readonly kills: number;
  /** At which of its commands that change something, the round's number when not given. */
  at?(round: number): number;
  /** Brings about what it begins with, by a daemon that nobody kills; what to ask, without an id. */
  ready(round: number): Promise<Omit<Request, 'id'>>;
  /** Whether guests read what they have written: after the crash, and again after the request was repeated. */
  whole?(round: number): Promise<void>;
  /** Throws unless it is so; called when the request was answered well. */
  ended(disk: Disk | undefined, round: number): Promise<void>;
}

export interface Outcome {
  kills: number;
  readonly failures: string[];
}

const DIRECTORY = '/run/crash';

const SHIM = `#!/bin/sh
name=\${0##*/}
PATH=/usr/sbin:/usr/bin:/sbin:/bin
case "$name $*" in
  "lvm lvc"* | "lvm lve"* | "lvm lvr"* | "qemu-img create"* | "qemu-img resize"*) ;;
  virsh*attach-device* | virsh*detach-d* | virsh*blockresize*) ;;
  *) exec "$name" "$@" ;;
esac
for armed in ${DIRECTORY}/armed-*; do
  read -r left vg vm < "$armed" || continue
  case "$* " in *" $vg "* | *" $vg/"* | *"/dev/$vg/"* | *$vm*) ;; *) continue ;; esac
  echo "$((left - 1)) $vg $vm" > "$armed"
  if [ "$left" -eq 1 ]; then
    echo "held $vg $name $*" > ${DIRECTORY}/news
    # From here on nobody reads what it says: a complaint would end it.
    read -r _ < "${DIRECTORY}/gate-$vg"
  fi
  exec "$name" "$@"
done
exec "$name" "$@"
`;

/** The shims, as files of a host. */
export const shims = Object.fromEntries(
  ['lvm', 'qemu-img', 'virsh'].map((name) => [`/opt/shims/${name}`, { text: SHIM, mode: 0o755 }]),
);

/** Volume Groups on /dev/vda, /dev/vdb, …, marked as pools of this host; as an earlier tenant left them, full of x. */
export async function makePools(host: Host, names: readonly string[]): Promise<void> {
  const commands = names.map((name, n) => {
    const device = `/dev/vd${String.fromCharCode(0x61 + n)}`;
    const marks = '--addtag sltv:v=1 --addtag sltv:lock=local/$(cat /etc/machine-id)';
    return `tr '\\0' x < /dev/zero | dd of=${device} bs=1M iflag=fullblock status=none; vgcreate -q --yes ${marks} ${name} ${device}`;
  });
  await host.run(commands.join(' && '), { timeout: 120_000 });
}

/** A daemon that the shims can hold. */
export const startShimmed = (host: Host, meanwhile?: DaemonOptions['meanwhile']): Promise<Daemon> =>
  startDaemon(host, { env: 'PATH=/opt/shims:$PATH', ...(meanwhile && { meanwhile }) });

/** Runs all operations side by side, round after round. */
export async function crashEach(
  host: Host,
  first: Daemon,
  operations: readonly Operation[],
): Promise<ReadonlyMap<Operation, Outcome>> {
  const outcomes = new Map(operations.map((each): [Operation, Outcome] => [each, { kills: 0, failures: [] }]));
  let daemon = first;
  for (let round = 1; round <= Math.max(...operations.map(({ rounds }) => rounds)); round += 1) {
    const asked: Asked[] = [];
    for (const [operation, outcome] of outcomes) {
      if (round > operation.rounds) continue;
      const request = { ...(await operation.ready(round)), id: `${operation.vg}-${round}` };
      asked.push({ operation, outcome, request });
    }
    daemon = await crashOnce(host, daemon, asked, round);
  }
  return outcomes;
}

interface Asked {
  readonly operation: Operation;
  readonly outcome: Outcome;
  readonly request: Request & { readonly id: string };
}

/** One round; answers with the daemon that runs after it. */
async function crashOnce(host: Host, daemon: Daemon, asked: readonly Asked[], round: number): Promise<Daemon> {
  const held = await provoke(host, daemon, asked, round);
  for (const { operation, outcome } of asked) {
    if (held.has(operation.vg)) outcome.kills += 1;
    console.log(`round ${round}: ${operation.title}: ${held.get(operation.vg) ?? 'ended'}`);
  }
  const successor = held.size === 0 ? daemon : await startShimmed(host, (log) => release(host, log, [...held.keys()]));
  await atRest(host);
  await examine(host, asked, round, 'after the crash');
  for (const { outcome, request } of asked) {
    await noting(outcome, `round ${round}, repeated`, () => succeed(host, request));
  }
  const present = await disks(host);
  for (const { operation, outcome, request } of asked) {
    const about = present.find(({ vg, name }) => vg === operation.vg && name === nameIn(request.body));
    await noting(outcome, `round ${round}, in the end`, () => operation.ended(about, round));
  }
  await examine(host, asked, round, 'after the repetition');
  return successor;
}

/** Asks everything at once and kills the daemon when each was held or answered; the commands that were held, by VG. */
async function provoke(
  host: Host,
  daemon: Daemon,
  asked: readonly Asked[],
  round: number,
): Promise<ReadonlyMap<string, string>> {
  const arm = asked.map(({ operation: { vg, vm = 'nothing', at = (n) => n } }) => {
    const files = { armed: `${DIRECTORY}/armed-${vg}`, gate: `${DIRECTORY}/gate-${vg}` };
    return `echo '${at(round)} ${vg} ${vm}' > ${files.armed}; rm -f ${files.gate}; mkfifo ${files.gate}`;
  });
  const calls = asked.map(
    ({ operation: { vg }, request }) =>
      `{ ${asking(request)} > ${DIRECTORY}/answer-${vg} 2>&1; echo "answered ${vg} $(tr '\\n' ' ' < ${DIRECTORY}/answer-${vg})" >&3; } &`,
  );
  const script = [
    `mkdir -p ${DIRECTORY}; cd ${DIRECTORY}; rm -f news; mkfifo news; exec 3<> news`,
    ...arm,
    ...calls,
    `heard=; for n in $(seq ${asked.length}); do read -r -t 100 line <&3 || exit 1; echo "$line"; heard="$heard $line"; done`,
    `rm -f armed-*; case $heard in *held*) kill -9 ${daemon.pid};; esac; wait`,
  ];
  const { stdout } = await host.run(script.join('\n'), { timeout: 180_000 });
  const held = new Map<string, string>();
  for (const line of stdout.trim().split('\n')) {
    const [word, vg = '', ...rest] = line.split(' ');
    if (word === 'held') held.set(vg, `killed at ${rest.join(' ').replace(/--config .*?(?= --devices| lv)/, '')}`);
    const outcome = asked.find(({ operation }) => operation.vg === vg)?.outcome;
    const isBad = word === 'answered' && !rest.join(' ').trimEnd().endsWith(' 200');
    if (isBad) outcome?.failures.push(`round ${round}, answered: ${rest.join(' ')}`);
  }
  return held;
}

async function release(host: Host, log: Stream, vgs: readonly string[]): Promise<void> {
  for await (const line of log) if (/still writing|\bready\b/.test(line)) break;
  // Opened for both, a pipe keeps nobody waiting, also when its reader is gone: virsh has a deadline.
  await host.run(vgs.map((vg) => `echo go 1<> ${DIRECTORY}/gate-${vg}`).join('; '));
}

/** What LVM, libvirt and the guests have against it; a complaint is of whose Volume Group it names, or of all. */
async function examine(host: Host, asked: readonly Asked[], round: number, when: string): Promise<void> {
  const complaints = contradictions(await look(host));
  if (complaints.length > 0) console.log(complaints);
  for (const { operation, outcome } of asked) {
    const mine = complaints.filter((words) => words.includes(`${operation.vg}/`));
    outcome.failures.push(...mine.map((words) => `round ${round}, ${when}: ${words}`));
    await noting(outcome, `round ${round}, ${when}`, async () => operation.whole?.(round));
  }
}

async function noting(outcome: Outcome, when: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    outcome.failures.push(`${when}: ${error instanceof Error ? error.message : String(error)}`);
    console.log(outcome.failures.at(-1));
  }
}

/** The disk that a request is about. */
function nameIn(body: object): string {
  const name = 'name' in body ? body.name : 'diskName' in body ? body.diskName : '';
  return String(name).replace(/^.*\//, '');
}

/** Nothing went wrong, and the daemon died of it at each command that it has. */
export function mustHaveSurvived({ title, kills }: Operation, outcome: Outcome | undefined): void {
  assert.equal(outcome?.failures, [], title);
  assert.is(outcome?.kills, kills, `${title}: how often the daemon died`);
}
