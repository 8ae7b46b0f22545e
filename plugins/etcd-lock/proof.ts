// For how long a lease is proven: kept alive by one question at a time, counted from when each was asked.
import { setTimeout as sleep } from 'node:timers/promises';
import type { GrantedLease, Kv } from './kv.ts';

export interface Proof {
  /** Milliseconds; 0 or less when time alone proves nothing any more. */
  remaining(): number;
  stop(): void;
}

export interface ProofOptions {
  readonly kv: Kv;
  readonly lease: GrantedLease;
  /** When the lease was asked for. */
  readonly asked: Moment;
  /** The store doesn't answer, though the lease is still proven. */
  readonly failing: (error: unknown) => void;
  /** It was kept alive; the member that answered is at this revision. */
  readonly proven: (revision: bigint) => void;
  /** It is lost, or can't be proven in time. Called once, and after that nothing is. */
  readonly lost: (because: string) => void;
}

/** By two clocks: the one stands still while the host is suspended, the other can be set back. */
export interface Moment {
  readonly steady: number;
  readonly wall: number;
}

export const moment = (): Moment => ({ steady: performance.now(), wall: Date.now() });

export function keepProven({ kv, lease, asked, failing, proven, lost }: ProofOptions): Proof {
  const life = new AbortController();
  let from = asked;
  let ttl = lease.ttl * 1000;
  let deadline: NodeJS.Timeout | undefined;

  function remaining(): number {
    const { steady, wall } = moment();
    return ttl - Math.max(steady - from.steady, wall - from.wall);
  }

  function lose(because: string): void {
    if (life.signal.aborted) return;
    stop();
    lost(because);
  }

  function stop(): void {
    life.abort();
    clearTimeout(deadline);
  }

  function setDeadline(): void {
    clearTimeout(deadline);
    deadline = setTimeout(() => lose('etcd did not confirm it in time'), Math.max(0, remaining()));
  }

  /** Sleeping counts by one clock only, so after each sleep both are asked. */
  async function keep(): Promise<void> {
    for (let wait = ttl / 3; await slept(wait, life.signal); ) {
      if (remaining() <= 0) return lose('etcd was not asked in time: this process or its host stood still');
      const now = moment();
      try {
        const kept = await kv.keepAlive(lease.id);
        if (life.signal.aborted) return;
        if (kept.ttl <= 0) return lose('etcd has ended it');
        from = now;
        ttl = Math.min(kept.ttl, lease.ttl) * 1000;
        wait = ttl / 3 - (performance.now() - now.steady);
        setDeadline();
        proven(kept.revision);
      } catch (error) {
        if (life.signal.aborted) return;
        wait = AGAIN;
        failing(error);
      }
    }
  }

  setDeadline();
  void keep();
  return { remaining, stop };
}

/** Milliseconds between a question that failed and the next. */
const AGAIN = 100;

/** False when the signal ended it. */
async function slept(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return await sleep(Math.max(0, milliseconds), true, { signal }).catch(() => false);
}
