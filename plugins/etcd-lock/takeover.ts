// What to do about a lock whose holder is not there any more, or does not say so.
import type { Log } from 'sltv';
import { SltvError } from 'sltv';
import type { Holdings } from './holdings.ts';
import { isAlive } from './processes.ts';
import { abandon, type Holder, type Seen, takeOver } from './protocol.ts';
import type { Session } from './session.ts';
import { Over, Present, read } from './stored.ts';

/** What there is to do: look again, wait as for anybody, or wait for somebody of whom nobody knows whether he still writes. */
export type Way =
  | { readonly is: 'cleared' }
  | { readonly is: 'held' }
  | { readonly is: 'silent'; readonly holder: Holder };

/** Asks a node to give back what it holds, if it still does. Errors: `unavailable`. */
export type AskBack = (node: string, name: string, record: string, signal: AbortSignal) => Promise<void>;

export interface Doubt {
  readonly session: Session;
  readonly holdings: Holdings;
  /** Waits until no child of any process of this host has this lock, as `Runner.quiet`. */
  readonly quiet: (children: string, signal: AbortSignal) => Promise<void>;
  readonly log: Log;
}

/** Clears a lock whose holder is proven over. Kinds: `unavailable`. */
export async function clear(
  { session, holdings, quiet, log }: Doubt,
  name: string,
  seen: Seen,
  askBack: AskBack,
  signal: AbortSignal,
): Promise<Way> {
  const { holder, record } = seen;
  const { keys, self } = session;
  if (!holder || !record) return { is: 'held' };
  if (holder.instance === self.instance) {
    if (holdings.isOurs(name, record.value, false)) return { is: 'held' };
    await session.txn(abandon(keys, { name, value: record.value }));
    return { is: 'cleared' };
  }
  const { found } = await session.txn({
    when: [],
    act: [{ get: { key: keys.over(holder.node, holder.boot) } }, { get: { key: keys.node(holder.node) } }],
    otherwise: [],
  });
  const [[over] = [], [present] = []] = found;
  const proof = await proofAgainst(read(Over, over)?.proof, holder, seen.lock !== undefined, self);
  if (proof) {
    // A command that its process has started goes on without it, and may be between its read and its write.
    if (proof.because === 'process-ended' && holder.children) await quiet(holder.children, signal);
    const { holds } = await session.txn(takeOver(keys, { name, seen, holder }, proof.because));
    if (holds) {
      const { node, boot, token, since } = holder;
      log.warn('a lock was taken over', { lock: name, node, boot, token, since, because: proof.sentence });
    }
    return { is: 'cleared' };
  }
  if (holder.node === self.node || seen.lock) return { is: 'held' };
  const isUp = read(Present, present)?.boot === holder.boot;
  if (!isUp) return { is: 'silent', holder };
  try {
    await askBack(holder.node, name, record.value, signal);
    return { is: 'held' };
  } catch (error) {
    if (error instanceof SltvError && error.kind === 'unavailable') return { is: 'silent', holder };
    throw error;
  }
}

async function proofAgainst(over: string | undefined, holder: Holder, hasLease: boolean, self: Session['self']) {
  if (over !== undefined) return { because: 'boot-over', sentence: over } as const;
  if (holder.node !== self.node) return undefined;
  if (holder.boot !== self.boot) {
    // A copy of this host would take the living one for its own past; its lease tells.
    if (hasLease) return undefined;
    return { because: 'earlier-boot', sentence: 'it was taken in an earlier boot of this host' } as const;
  }
  if (await isAlive(holder)) return undefined;
  return { because: 'process-ended', sentence: `its process ${holder.pid} has ended` } as const;
}
