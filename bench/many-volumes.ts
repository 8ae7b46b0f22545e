// A Volume Group with many volumes on a loop device: LVM's metadata is all real, no device-mapper is needed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ManyVolumes extends Disposable {
  readonly vg: string;
  /** What every lvm of this VG needs in its environment, ours and bare ones alike. */
  readonly env: Readonly<Record<string, string>>;
  /** How many lvm were started by whoever runs with `env`. */
  commands(): number;
}

/** Makes a VG of `count` thin disks in format 1. Needs root. */
export function makeVolumes(directory: string, vg: string, count: number): ManyVolumes {
  const image = join(directory, 'pv.img');
  writeFileSync(image, '');
  truncateSync(image, 64 * 1024 ** 3);
  const device = run('losetup', ['--find', '--show', image]).trim();
  const counting = join(directory, 'bin');
  const env = {
    LVM_SYSTEM_DIR: join(directory, 'lvm'),
    LVM_SUPPRESS_FD_WARNINGS: '1',
    PATH: `${counting}:${process.env.PATH}`,
  };
  const volumes: ManyVolumes = {
    vg,
    env,
    commands: () => readFileSync(logOf(counting), 'utf8').split('\n').length - 1,
    [Symbol.dispose]() {
      run('losetup', ['--detach', device]);
      rmSync(image);
    },
  };
  try {
    mkdirSync(env.LVM_SYSTEM_DIR);
    mkdirSync(counting);
    writeFileSync(logOf(counting), '');
    const real = run('sh', ['-c', 'command -v lvm']).trim();
    writeFileSync(join(counting, 'lvm'), `#!/bin/sh\necho "$*" >> ${logOf(counting)}\nexec ${real} "$@"\n`, {
      mode: 0o755,
    });
    writeFileSync(join(env.LVM_SYSTEM_DIR, 'lvm.conf'), lvmConf(directory, device));
    const lvm = (...args: string[]) => run('lvm', args, env);
    lvm('vgcreate', '-q', '--metadatasize', '128m', '--setautoactivation', 'n', vg, device);
    lvm('lvcreate', '-q', '-an', '-Zn', '-Wn', '-l1', '--setautoactivation', 'n', '-n', nameOf(0), vg, ...tagsOf(0));
    const text = join(directory, 'vg.txt');
    lvm('vgcfgbackup', '-f', text, vg);
    writeFileSync(text, multiplied(readFileSync(text, 'utf8'), count));
    lvm('vgcfgrestore', '-f', text, vg);
  } catch (error) {
    volumes[Symbol.dispose]();
    throw error;
  }
  return volumes;
}

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

const logOf = (counting: string) => join(counting, 'commands');

/** A host of its own for lvm, which sees one device and can't activate. */
const lvmConf = (directory: string, device: string) => `
global { activation=0 locking_dir="${directory}/lvm/lock" }
devices { filter=["a|^${device}$|", "r|.*|"] use_devicesfile=0 hints="none" }
backup { backup_dir="${directory}/lvm/backup" archive_dir="${directory}/lvm/archive" }
`;

export const nameOf = (index: number) => `disk-${String(index).padStart(4, '0')}`;
const idOf = (index: number) => `7d7ba1c8-28d5-4a70-9d0e-00000000${String(index).padStart(4, '0')}`;

export function tagsOf(index: number): readonly string[] {
  const notes = ['v=1', `disk=${idOf(index)}`, 'layer=0', 'fmt=qcow2', 'vsize=107374182400', 'on=bench/0'];
  return notes.flatMap((note) => ['--addtag', `sltv:${note}`]);
}

/** The VG's metadata with its one volume `count` times: a thousand lvcreates would take a minute. */
export function multiplied(metadata: string, count: number): string {
  const block = new RegExp(`\\n\\t\\t${nameOf(0)} \\{[\\s\\S]*?\\n\\t\\t\\}\\n`).exec(metadata)?.[0] ?? '';
  const lvmId = /id = "([^"]+)"/.exec(block)?.[1] ?? '';
  const copies = Array.from({ length: count }, (_, index) =>
    block
      .replaceAll(nameOf(0), nameOf(index))
      .replaceAll(idOf(0), idOf(index))
      .replace(lvmId, lvmId.slice(0, -4) + String(index).padStart(4, '0'))
      .replace(/"pv0", 0\b/, `"pv0", ${index}`),
  );
  return metadata.replace(block, copies.join(''));
}
