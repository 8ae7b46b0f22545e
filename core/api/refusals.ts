// Connections that were refused, in the log: each peer with each reason once, and never so many lines that they hide others.
import type { Log } from '../log.ts';

export interface Refusals {
  note(peer: string, why: string, hint?: string): void;
}

/** Of each `period`, in milliseconds, `lines` are written, and one more that counts the rest. */
export function createRefusals(log: Log, { period = 60_000, lines = 20 } = {}): Refusals {
  const said = new Set<string>();
  let unsaid = 0;
  const turn = () => {
    if (unsaid > 0) log.warn('more connections were refused', { times: unsaid, seconds: period / 1000 });
    said.clear();
    unsaid = 0;
  };
  return {
    note(peer, why, hint) {
      const what = `${peer} ${why}`;
      if (said.has(what) || said.size >= lines) {
        unsaid += 1;
        return;
      }
      if (said.size === 0) setTimeout(turn, period).unref();
      said.add(what);
      log.warn('a connection was refused', { peer, why, hint });
    },
  };
}
