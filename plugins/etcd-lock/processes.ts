// Whether a process of this host still lives. A pid alone is given to others after its end; with the time of its start it is not.
import { readFile } from 'node:fs/promises';

/** When a process started, in the kernel's ticks since the boot; undefined when there is no such process, or a dead one. */
export async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the name, in brackets, and may have brackets and spaces itself: proc(5).
  const [state, ...fields] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  return state === undefined || state === 'Z' || state === 'X' ? undefined : fields[STARTTIME];
}

/** Field 22 of stat, counted from the one behind the state. */
const STARTTIME = 22 - 4;

export async function isAlive(process: { readonly pid: number; readonly started: string }): Promise<boolean> {
  return (await startOf(process.pid)) === process.started;
}
