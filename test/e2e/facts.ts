// What LVM, device-mapper and libvirt themselves have of a host, and whether that fits together.
import { basename } from 'node:path';
import type { Host } from '../testbed/index.ts';

export interface VmFacts {
  readonly uuid: string;
  readonly isRunning: boolean;
  /** Paths by target: what it has now, and what it will have at its next start. */
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

/** Asks them, not sltv; libvirt by its own records, which take a tenth of a virsh's time. */
export async function look(host: Host): Promise<Facts> {
  const records = 'for file in /etc/libvirt/qemu/*.xml /run/libvirt/qemu/*.xml';
  const { stdout } = await host.run(
    `lvs --noheadings --separator ' ' -o vg_name,lv_name,lv_tags; echo ---; ` +
      `dmsetup info --columns --noheadings --separator / -o vg_name,lv_name; echo ---; ` +
      `${records}; do [ -e $file ] && echo "=== $file" && cat $file; done; true`,
    { note: 'what LVM, device-mapper and libvirt have ' },
  );
  const [volumes = '', active = '', vms = ''] = stdout.split('---\n');
  const texts = vms.split(/^=== /m).slice(1);
  const live = new Map(texts.filter((text) => text.startsWith('/run/')).map(readRecord));
  const defined = texts.filter((text) => text.startsWith('/etc/')).map(readRecord);
  return {
    volumes: new Map(lines(volumes).map(readVolume)),
    active: lines(active).filter((line) => /^[^/]+\/.+$/.test(line)),
    vms: new Map(
      defined.map(([name, { uuid, disks }]): [string, VmFacts] => {
        const now = live.get(name);
        return [name, { uuid, isRunning: now !== undefined, live: now?.disks ?? new Map(), next: disks }];
      }),
    ),
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
      if (live.get(target) === path) inUse.add(volume);
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

function readRecord(text: string): [string, { uuid: string; disks: ReadonlyMap<string, string> }] {
  const [path = ''] = text.split('\n', 1);
  const one = (pattern: RegExp, within = text) => pattern.exec(within)?.[1] ?? '';
  const disks = [...text.matchAll(/<disk .*?<\/disk>/gs)].map(([disk]): [string, string] => [
    one(/<target dev='([^']*)'/, disk),
    one(/<source (?:dev|file)='([^']*)'/, disk),
  ]);
  return [basename(path, '.xml'), { uuid: one(/<uuid>(.*?)<\/uuid>/), disks: new Map(disks) }];
}
