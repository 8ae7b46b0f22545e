// Holds an lvm between its read and its write, as a disk that doesn't answer does: its archive lies on a file system that can
// be frozen, and before each commit it writes there what it has read. It waits uninterruptibly; not even SIGKILL ends it.
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type LoopVg, MEBIBYTE } from './fixture.ts';

const execute = promisify(execFile);

export interface Stall extends AsyncDisposable {
  /** From here on this host's commits stop between read and write. */
  begin(): Promise<void>;
  /** Resolves with the process id of a command that has stopped there. */
  stopped(): Promise<number>;
  /** Lets them go on. */
  end(): Promise<void>;
}

/** For the host by this name among those that see the VG. */
export async function stallOf({ directory }: LoopVg, host: string): Promise<Stall> {
  const system = join(directory, host);
  const archive = join(system, 'archive');
  const image = join(directory, `${host}.archive`);
  let isFrozen = false;
  await mkdir(archive, { recursive: true });
  await writeFile(image, '');
  await truncate(image, 8 * MEBIBYTE);
  await execute('mkfs.ext4', ['-q', image]);
  await execute('mount', ['-o', 'loop', image, archive]);
  const end = async () => {
    if (isFrozen) await execute('fsfreeze', ['--unfreeze', archive]);
    isFrozen = false;
  };
  return {
    async begin() {
      isFrozen = true;
      await execute('fsfreeze', ['--freeze', archive]);
    },
    async stopped() {
      for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(5)) {
        for (const pid of await readdir('/proc'))
          if (/^\d+$/.test(pid) && (await isStopped(pid, system))) return Number(pid);
      }
      throw new Error('no command has stopped');
    },
    end,
    async [Symbol.asyncDispose]() {
      await end();
      // Whoever was let go may still be leaving.
      await execute('umount', ['--lazy', archive]);
      await rm(image);
    },
  };
}

async function isStopped(pid: string, system: string): Promise<boolean> {
  const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  return /^\d+ \(lvm\) D/.test(await read('stat')) && (await read('environ')).includes(`LVM_SYSTEM_DIR=${system}\0`);
}
