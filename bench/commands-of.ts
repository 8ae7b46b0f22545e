// The commands that a daemon runs just now.
import { readFileSync } from 'node:fs';

/** Process ids. A shell that waits to become a command (decision 16) does nothing. */
export function commandsOf(daemon: number | string): readonly string[] {
  const children = readFileSync(`/proc/${daemon}/task/${daemon}/children`, 'utf8').split(' ').filter(Boolean);
  return children.filter((child) => !isWaiting(child));
}

function isWaiting(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('sltv-ready');
  } catch {
    return true;
  }
}
