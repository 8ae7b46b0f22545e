// What LVM, device-mapper and libvirt themselves say of a host, and whether that fits together.
import type { Host } from '../testbed/index.ts';

export interface VmFacts {
  readonly uuid: string;
  readonly isRunning: boolean;
  /** Paths by target. */
  readonly live: ReadonlyMap<string, string>;
  readonly next: ReadonlyMap<string, string>;
}

export interface Facts {
  /** Values by key of the `sltv:` tags of each volume, `vg/name`. */
  readonly volumes: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Volumes with a device, `vg/name`. */
  readonly active: readonly string[];
  readonly vms: ReadonlyMap<string, VmFacts>;
}

/** Asks them, not sltv. */
export async function look(host: Host): Promise<Facts> {
  const list = (await host.run("virsh -q list --all --uuid --name | sed 's/ *$//'")).stdout.trim();
  const known = list === '' ? [] : list.split('\n').map((line) => line.split(/ +/));
  const questions = known.map(
    ([uuid]) =>
      `echo @${uuid}; domstate ${uuid}; echo @live; domblklist ${uuid}; echo @next; domblklist ${uuid} --inactive`,
  );
  const { stdout } = await host.run(
    `lvs --noheadings --separator ' ' -o vg_name,lv_name,lv_tags; echo ---; ` +
      `dmsetup info --columns --noheadings --separator / -o vg_name,lv_name; echo ---; ` +
      (questions.length > 0 ? `virsh -q '${questions.join('; ')}'` : 'true'),
  );
  const [volumes = '', active = '', vms = ''] = stdout.split('---\n');
  return {
    volumes: new Map(lines(volumes).map(readVolume)),
    active: lines(active).filter((line) => /^[^/]+\/.+$/.test(line)),
    vms: new Map([...vms.matchAll(VM)].map((match) => readVm(match, known))),
  };
}

/** Where they contradict each other, or anything is still under way; empty when all is well. */
export function contradictions({ volumes, active, vms }: Facts): readonly string[] {
  const found: string[] = [];
  const complain = (words: string) => found.push(words);
  const inUse = new Set<string>();
  for (const [name, { uuid, isRunning, live, next }] of vms) {
    for (const [target, path] of [...live, ...next]) {
      const volume = path.replace('/dev/', '');
      if (!volumes.has(volume)) continue;
      const own = volumes.get(volume)?.get('own') ?? 'nobody';
      if (!own.startsWith(`${uuid}/${target}/`))
        complain(`${name} has ${volume} at ${target}, and its owner is ${own}`);
      if (isRunning && live.get(target) === path) inUse.add(volume);
      if (isRunning && live.get(target) !== next.get(target)) complain(`${name} has ${volume} by half`);
    }
  }
  for (const [volume, tags] of volumes) {
    if (tags.has('op')) complain(`${volume} is in the middle of ${tags.get('op')}`);
    const [uuid, target = ''] = (tags.get('own') ?? '').split('/');
    const vm = [...vms.values()].find((each) => each.uuid === uuid);
    if (tags.has('own') && vm?.next.get(target) !== `/dev/${volume}`)
      complain(`${volume} belongs to ${tags.get('own')}, which does not have it`);
    const isActive = active.includes(volume);
    if (isActive !== inUse.has(volume))
      complain(`${volume} is ${isActive ? 'active and not' : 'not active, but'} in use`);
  }
  return found;
}

const lines = (text: string): string[] => text.split('\n').flatMap((line) => line.trim() || []);

function readVolume(line: string): [string, ReadonlyMap<string, string>] {
  const [vg = '', name = '', tags = ''] = line.split(' ');
  const ours = tags.split(',').filter((tag) => tag.startsWith('sltv:'));
  const pairs = ours.map((tag): [string, string] => {
    const at = tag.indexOf('=');
    return [tag.slice('sltv:'.length, at), tag.slice(at + 1)];
  });
  return [`${vg}/${name}`, new Map(pairs)];
}

/** virsh's echo ends no line. */
const VM = /@([0-9a-f-]{36})([a-z ]+)[^@]*@live([^@]*)@next([^@]*)/g;

function readVm(match: RegExpExecArray, known: readonly string[][]): [string, VmFacts] {
  const [, uuid = '', state, live = '', next = ''] = match;
  const isRunning = state !== 'shut off';
  const name = known.find(([each]) => each === uuid)?.[1] ?? uuid;
  return [name, { uuid, isRunning, live: isRunning ? readBlocks(live) : new Map(), next: readBlocks(next) }];
}

const readBlocks = (text: string): ReadonlyMap<string, string> =>
  new Map(lines(text).map((line): [string, string] => [line.split(/ +/)[0] ?? '', line.split(/ +/)[1] ?? '']));
