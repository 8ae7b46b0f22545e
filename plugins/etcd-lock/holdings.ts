// What this process holds, and what it has let go of without knowing yet whether the store has heard of it.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lease, type Log, patiently } from 'sltv';
import { fail } from './errors.ts';
import { LeaseGone, type Outcome, type Txn } from './kv.ts';
import {
  type Attempt,
  abandon,
  acquire,
  glanceIn,
  type KnownMark,
  look,
  NO_MARK,
  newAttempt,
  nextToken,
  prove,
  release,
  type Seen,
  seenIn,
  voidEarlier,
} from './protocol.ts';
import type { Open, Session } from './session.ts';

export interface Holdings {
  /**
   * Tries to take a free lock with one transaction; `queued`: as the first in line, by that key. Errors: `unavailable`, and
   * the attempt will have done nothing.
   */
  attempt(open: Open, wanted: Wanted, queued?: string): Promise<Tried>;
  /** Takes up what the store says of this process and the generation, when that is not what was known. */
  adopt(open: Open, seen: Seen): Promise<boolean>;
  /** Waits no longer; the store hears of it as soon as it answers. */
  leave(open: Open, name: string, queued: string): void;
  /** Whether this process has it, or may have. Its holder is told that it is lost. */
  isOurs(name: string, record: string, isVoid: boolean): boolean;
  holds(name: string): boolean;
  /** Resolves when nothing of that name is unsettled; undefined when nothing is. */
  unsettled(name: string): Promise<unknown> | undefined;
  /** Waits for all that is unsettled, at most so many milliseconds. */
  settled(milliseconds: number): Promise<void>;
}

/** Which lock is wanted, and under which lock of this host its holder's commands will run. */
export interface Wanted {
  readonly name: string;
  readonly children: string | undefined;
}

/** The lease; or what stands in its way, all of it for the first in line; or nothing: what was taken for granted has changed. */
export interface Tried {
  readonly lease?: Lease;
  readonly isInTheWay?: boolean;
  readonly seen?: Seen;
}

interface Grant {
  readonly attempt: Attempt;
  readonly at: Open;
  readonly voided: AbortController;
}

export function createHoldings(session: Session, stopped: AbortSignal, log: Log): Holdings {
  const { keys, self } = session;
  let attempts = 0;
  const granted = new Map<string, Grant>();
  const open = new Map<string, Promise<unknown>>();
  /**
   * The marks as they were left here, and in which generation of the store: with them a free lock is one transaction. A store
   * that was restored counts its revisions once more, and what was known by one may be another by now.
   */
  const marks = new Map<string, { readonly mark: KnownMark; readonly n: number }>();

  /** Keeps others of this process away from a name until this has been done. */
  function settle<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = open.get(name) ?? Promise.resolve();
    const done = before.then(work, work);
    open.set(name, done);
    const forget = () => {
      if (open.get(name) === done) open.delete(name);
    };
    done.then(forget, forget);
    return done;
  }

  async function untilAnswered(txn: Txn): Promise<Outcome> {
    for (let wait = 100; ; wait = Math.min(wait * 2, 1_000)) {
      try {
        return await session.txn(txn);
      } catch (error) {
        if (error instanceof LeaseGone || closed.signal.aborted) throw error;
        await sleep(wait, undefined, { signal: closed.signal });
      }
    }
  }

  /** Nothing asked for earlier happens from then on. */
  async function voidAll(at: Open, queued?: string): Promise<void> {
    try {
      at.session = (await untilAnswered(voidEarlier(keys, self, at.lease, queued))).revision;
    } catch (error) {
      // Without the lease, nothing that would be put on it can be; and what was on it is gone.
      if (!(error instanceof LeaseGone)) throw error;
    }
  }

  function lease(at: Open, attempt: Attempt, token: bigint, before: KnownMark): Lease {
    const { name } = attempt;
    const grant: Grant = { attempt, at, voided: new AbortController() };
    granted.set(name, grant);
    const lost = AbortSignal.any([at.ended.signal, grant.voided.signal, stopped]);
    let left: string | undefined;
    let returned: Promise<void> | undefined;

    async function giveBack(): Promise<void> {
      const mark = left === undefined ? before : { mark: left, isOrderly: true };
      const kept = { token, mark: mark.mark, isOrderly: mark.isOrderly };
      const done = settle(name, async () => {
        const { holds, revision } = await untilAnswered(release(keys, attempt, kept));
        if (!holds) return log.warn('a lock was not ours any more when it was given back', { lock: name, token });
        marks.set(name, { mark: { ...kept, mod: revision }, n: at.n });
        session.memory.spoke(keys.mark(name), revision, false);
      });
      if (granted.get(name) === grant) granted.delete(name);
      // Who waits for it here waits until it is done; its holder has done what it could.
      await patiently(done, [], RETURN);
    }

    return {
      token,
      lost,
      remaining: () => (lost.aborted ? 0 : Math.max(0, at.proof.remaining())),
      async prove() {
        if (!lost.aborted && at.proof.remaining() > 0) return;
        const isMine = !lost.aborted && (await session.txn(prove(keys, at, attempt))).holds;
        if (lost.aborted || !isMine)
          throw fail('lost', `the lock ${name} is lost`, { hint: 'try again', cause: lost.reason });
      },
      handover: { mark: before.mark, isOrderly: before.isOrderly },
      leave(mark) {
        left = mark;
      },
      async [Symbol.asyncDispose]() {
        returned ??= giveBack();
        await returned;
      },
    };
  }

  async function attempt(at: Open, { name, children }: Wanted, queued?: string): Promise<Tried> {
    const known = marks.get(name);
    const before = known?.n === at.n ? known.mark : NO_MARK;
    const token = nextToken(before, at.n);
    attempts += 1;
    const mine = newAttempt(self, name, { token, attempt: attempts, since: new Date(), children });
    try {
      const outcome = await session.txn(acquire(keys, self, at, mine, before, queued));
      if (outcome.holds) return { lease: lease(at, mine, token, before) };
      if (queued !== undefined) {
        const seen = seenIn(keys, outcome);
        marks.set(name, { mark: seen.mark, n: at.n });
        return { seen };
      }
      const { isHeld, mark } = glanceIn(outcome);
      marks.set(name, { mark, n: at.n });
      return { isInTheWay: isHeld || mark.mod === before.mod };
    } catch (error) {
      if (error instanceof LeaseGone) {
        session.lost(at);
        return {};
      }
      const isDone = await whetherDone(at, mine);
      if (isDone === undefined) throw error;
      return isDone ? { lease: lease(at, mine, token, before) } : {};
    }
  }

  /** Of an attempt that got no answer: whether it has succeeded. Undefined: that can't be learned now; it is taken back when it can. */
  async function whetherDone(at: Open, mine: Attempt): Promise<boolean | undefined> {
    const { name, value } = mine;
    const certain = voidAll(at).then(async () => {
      const outcome = await untilAnswered(look(keys, self, name));
      return seenIn(keys, outcome).record?.value === value;
    });
    const isDone = await patiently(certain, [at.ended.signal], SOON).catch(() => undefined);
    if (isDone === undefined) {
      const takenBack = settle(name, async () => {
        await certain;
        await untilAnswered(abandon(keys, mine));
      });
      takenBack.catch(() => {});
    }
    return isDone;
  }

  const closed = new AbortController();
  session.onReview(async () => {
    for (const { attempt, at, voided } of granted.values()) {
      if (at.ended.signal.aborted) continue;
      const { holds } = await session.txn(prove(keys, at, attempt));
      if (!holds) voided.abort(fail('lost', `the lock ${attempt.name} is lost: etcd does not have it any more`));
    }
  });
  return {
    attempt,
    async adopt(at, { session: own, generation, halted, ownOver }) {
      const isAsKnown = own === at.session && generation === at.generation && !halted && ownOver === undefined;
      if (isAsKnown) return false;
      if (own === 0n) session.lost(at);
      else at.session = own;
      if (generation !== at.generation || halted || ownOver !== undefined) await session.review();
      return true;
    },
    leave(at, name, queued) {
      void settle(name, () => voidAll(at, queued)).catch(() => {});
    },
    isOurs(name, record, isVoid) {
      const grant = granted.get(name);
      if (grant?.attempt.value !== record) return open.has(name);
      if (isVoid) grant.voided.abort(fail('lost', `the lock ${name} is lost: etcd does not have it any more`));
      return true;
    },
    holds: (name) => granted.has(name),
    unsettled: (name) => open.get(name)?.catch(() => {}),
    async settled(milliseconds) {
      await patiently(Promise.allSettled(open.values()), [], milliseconds);
      closed.abort();
    },
  };
}

/** Milliseconds for which a holder waits until the store has heard that it is none any more. */
const RETURN = 2_000;
/** Milliseconds for which a caller waits to learn what became of a call without answer. */
const SOON = 1_500;
