// Waiting in line for a lock: who is first watches what is in the way, everybody else only who stands right before him.
import type { Lease } from 'sltv';
import { type Bell, bellAt } from './bell.ts';
import { fail } from './errors.ts';
import type { Wanted } from './holdings.ts';
import type { Keys } from './kv.ts';
import { type Holder, look, type Seen, seenIn } from './protocol.ts';
import type { Open, Session } from './session.ts';
import { type AskBack, clear, type Doubt, type Way } from './takeover.ts';

export interface Line extends Doubt {
  readonly askBack: AskBack;
  /** By the lock's name: who is waited for here, and is silent. */
  readonly silent: Map<string, Holder>;
}

export interface Place extends Wanted {
  readonly open: Open;
  /** The key by which it waits. */
  readonly queued: string;
  /** What was seen when it began to wait. */
  readonly seen: Seen;
}

/** Waits for its turn. Errors: `unavailable`, and the signal's reason; then it has left the line. */
export async function standInLine(line: Line, place: Place, signal: AbortSignal): Promise<Lease> {
  const { open, name, queued } = place;
  const waiting: Waiting = { silent: undefined };
  try {
    return await untilServed(line, place, signal, waiting);
  } catch (error) {
    line.holdings.leave(open, name, queued);
    if (signal.aborted && waiting.silent) throw gaveUpOn(name, waiting.silent, error);
    throw error;
  } finally {
    line.silent.delete(name);
  }
}

interface Waiting {
  /** Who is waited for, though nobody knows whether he still writes. */
  silent: Holder | undefined;
}

async function untilServed(line: Line, place: Place, signal: AbortSignal, waiting: Waiting): Promise<Lease> {
  const { session, holdings } = line;
  const { open, name, queued } = place;
  const ended = AbortSignal.any([signal, open.ended.signal]);
  let seen = place.seen;
  let bell: (Bell & { readonly of: string }) | undefined;
  try {
    for (;;) {
      if (await holdings.adopt(open, seen)) ended.throwIfAborted();
      const before = predecessor(seen, queued, name);
      const isFree = before === undefined && !seen.lock && !seen.record;
      if (isFree) {
        const { lease, seen: found } = await holdings.attempt(open, place, queued);
        if (lease) return lease;
        ended.throwIfAborted();
        seen = found ?? (await lookAgain(session, name));
        continue;
      }
      const of = before ?? 'lock';
      if (bell?.of !== of) {
        bell?.[Symbol.dispose]();
        bell = Object.assign(bellAt(session.kv, keysInTheWay(session, name, before, seen)), { of });
      }
      // What the bell tells first is that it is there; from then on nothing is missed.
      await bell.rung([ended], before === undefined ? LOOK_AGAIN : undefined);
      seen = await lookAgain(session, name);
      if (predecessor(seen, queued, name) !== undefined || !(seen.record ?? seen.lock)) continue;
      const way = await clear(line, name, seen, line.askBack, ended);
      tell(line, name, way, waiting);
      if (way.is === 'cleared') seen = await lookAgain(session, name);
    }
  } finally {
    bell?.[Symbol.dispose]();
  }
}

const lookAgain = async (session: Session, name: string): Promise<Seen> =>
  seenIn(session.keys, await session.txn(look(session.keys, session.self, name)));

/** Who stands right before; undefined for the first. */
function predecessor({ waiters }: Seen, queued: string, name: string): string | undefined {
  const place = waiters.indexOf(queued);
  if (place < 0) throw fail('lost', `the place in the line for the lock ${name} is lost`, { hint: 'try again' });
  return waiters[place - 1];
}

function keysInTheWay({ keys }: Session, name: string, before: string | undefined, { holder }: Seen): readonly Keys[] {
  if (before !== undefined) return [{ key: before }];
  const over = holder ? [{ key: keys.over(holder.node, holder.boot) }] : [];
  return [{ key: keys.lock(name) }, { key: keys.record(name) }, ...over];
}

/** Milliseconds. The end of a process of this host shows in no key, and a node may be asked again. */
const LOOK_AGAIN = 500;

function tell({ log, silent }: Line, name: string, way: Way, waiting: Waiting): void {
  if (way.is === 'silent') silent.set(name, way.holder);
  else silent.delete(name);
  const isNew = way.is === 'silent' && waiting.silent?.attempt !== way.holder.attempt;
  waiting.silent = way.is === 'silent' ? way.holder : undefined;
  if (!isNew) return;
  const { node, boot, since } = way.holder;
  const hint = `sltv node fence ${node}, once it can't be writing any more`;
  log.warn('waiting for a node that does not answer and may still be writing', { lock: name, node, boot, since, hint });
}

function gaveUpOn(name: string, { node, since }: Holder, cause: unknown) {
  return fail('gave-up', `${node} has the lock ${name} since ${since.toISOString()} and does not answer`, {
    hint: `bring ${node} back, or: sltv node fence ${node}`,
    cause,
  });
}
