// Holds an lvm of a host between its read and its write: stopped by SIGSTOP where the frozen archive had made it wait.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Host, kill } from './host.ts';

export interface Held {
  readonly pid: number;
  letGo(): void;
}

/** Undefined when none came that way in time. The proof: it waited, to write what it had read into an archive that was frozen. */
export async function holdLvm({ stall }: Host): Promise<Held | undefined> {
  try {
    for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
      await stall.begin();
      const pid = await stall.stopped().catch(() => undefined);
      if (pid === undefined) return undefined;
      const isCommit = await commits(pid);
      if (isCommit) kill(pid, 'SIGSTOP');
      await stall.end();
      // A command that only reads is caught, too, where this host's backup is older than what another one has made.
      const until = isCommit ? ['T', undefined] : [undefined];
      while (!until.includes(await stateOf(pid))) await sleep(1);
      if (isCommit && (await stateOf(pid)) === 'T') return { pid, letGo: () => kill(pid, 'SIGCONT') };
    }
    return undefined;
  } finally {
    await stall.end();
  }
}

/** Milliseconds. */
const PATIENCE = 10_000;

const COMMITS = ['lvcreate', 'lvextend', 'lvchange', 'lvremove', 'vgchange'];

async function commits(pid: number): Promise<boolean> {
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return words.split('\0').some((word) => COMMITS.includes(word));
}

async function stateOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /\) (\S)/.exec(text)?.[1];
}
