// What a storm rages on: one VG on one loop device, seen by several hosts, each with lvm's and sltv's directories of its own.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface Ground extends AsyncDisposable {
  readonly directory: string;
  readonly vg: string;
  readonly device: string;
  /** Makes the directories of a host, and answers with its lvm's. */
  host(name: string): Promise<string>;
  /** Runs lvm by hand, whatever the VG's system ID is; answers with what it printed. Throws when it ends badly. */
  lvm(...words: string[]): Promise<string>;
}

/** Errors: those of losetup and lvm; nothing is left behind then. */
export async function prepareGround(): Promise<Ground> {
  await using undo = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sltv-storm-'));
  undo.defer(() => rm(directory, { recursive: true, force: true }));
  const vg = `storm-${directory.slice(-6)}`;
  const file = join(directory, 'pv');
  await writeFile(file, '');
  await truncate(file, 512 * 1024 * 1024);
  const device = (await execute('losetup', ['--find', '--show', file])).stdout.trim();
  undo.defer(async () => void (await execute('losetup', ['--detach', device])));

  async function host(name: string): Promise<string> {
    const system = join(directory, name);
    await mkdir(join(system, 'state'), { recursive: true });
    await writeFile(
      join(system, 'lvm.conf'),
      `global { activation=0 use_aio=0 event_activation=0 locking_dir="${system}/run/lock" }
       devices { global_filter=[ "a|^${device}$|", "r|.*|" ] use_devicesfile=0 }
       backup { backup=0 archive_dir="${system}/archive" }\n`,
    );
    return system;
  }
  const env = { ...process.env, LVM_SYSTEM_DIR: await host('by-hand'), LVM_SUPPRESS_FD_WARNINGS: '1', LC_ALL: 'C' };
  const plain = async (words: readonly string[]) => (await execute('lvm', words, { env })).stdout;

  async function lvm(...words: string[]): Promise<string> {
    const systemId = (await plain(['vgs', '--foreign', '--noheadings', '-o', 'vg_systemid', vg])).trim();
    const identity = `global { system_id_source="lvmlocal" } local { system_id="${systemId}" }`;
    return await plain(systemId === '' ? words : [...words, '--config', identity]);
  }

  await plain(['vgcreate', '--quiet', '--physicalextentsize', '128k', vg, device]);
  const all = undo.move();
  return { directory, vg, device, host, lvm, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
