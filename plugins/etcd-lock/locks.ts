// Locks among the nodes of a cluster, first come, first served.
import { randomUUID } from 'node:crypto';
import { type Lease, type Locks, patiently } from 'sltv';
import { fail } from './errors.ts';
import type { Wanted } from './holdings.ts';
import { LeaseGone } from './kv.ts';
import { type Line, type Place, standInLine } from './line.ts';
import { enqueue, seenIn } from './protocol.ts';
import type { Open } from './session.ts';
import { refuseHalted } from './standing.ts';

export function createLocks(line: Line, clusterId: string, stopped: AbortSignal): Locks {
  const { session, holdings } = line;
  const { keys, self } = session;
  /** By name, the last who came: whoever comes later begins behind him, or they could overtake each other on the way. */
  const arrivals = new Map<string, Promise<unknown>>();
  const inLine = new Map<string, number>();

  function arrive(wanted: Wanted, signal: AbortSignal): Promise<Lease | Place> {
    const { name } = wanted;
    const before = arrivals.get(name);
    const mine = before ? before.then(() => begin(wanted, signal)) : begin(wanted, signal);
    // Without an answer for one there is none for those behind him; that he left is no reason.
    const behind = mine.catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    arrivals.set(name, behind);
    const forget = () => {
      if (arrivals.get(name) === behind) arrivals.delete(name);
    };
    behind.then(forget, forget);
    return mine;
  }

  /** Takes the lock when it is free and nobody waits; else a place in the line. */
  async function begin(wanted: Wanted, signal: AbortSignal): Promise<Lease | Place> {
    const { name } = wanted;
    for (;;) {
      signal.throwIfAborted();
      // It may have been recovered a moment ago.
      if ((await session.ready()).halted) await session.review();
      const open = await session.ready();
      refuseHalted(open);
      const unsettled = holdings.unsettled(name);
      if (unsettled) {
        await patiently(unsettled, [signal, open.ended.signal], PATIENCE);
        if (holdings.unsettled(name)) {
          throw fail('unreachable', `etcd has not yet heard that the lock ${name} was given back`, {
            hint: 'try again',
          });
        }
      } else if (holdings.holds(name) || inLine.has(name)) {
        const place = await joinLine(open, wanted);
        if (place) return place;
      } else {
        const { lease, isInTheWay } = await holdings.attempt(open, wanted);
        if (lease) return lease;
        if (!isInTheWay) continue;
        const place = await joinLine(open, wanted);
        if (place) return place;
      }
    }
  }

  async function joinLine(open: Open, wanted: Wanted): Promise<Place | undefined> {
    const { name } = wanted;
    const queued = keys.waiter(name, randomUUID());
    try {
      const outcome = await session.txn(enqueue(keys, self, open, name, queued));
      const seen = seenIn(keys, outcome);
      if (outcome.holds) return { ...wanted, open, queued, seen };
      await holdings.adopt(open, seen);
    } catch (error) {
      if (!(error instanceof LeaseGone)) {
        // It may stand in the line all the same.
        holdings.leave(open, name, queued);
        throw error;
      }
      session.lost(open);
    }
    return undefined;
  }

  async function wait(wanted: Wanted, signal: AbortSignal): Promise<Lease> {
    const { name } = wanted;
    const arrived = arrive(wanted, signal);
    let place: Lease | Place | undefined;
    try {
      place = await patiently(arrived, [signal]);
    } catch (error) {
      void arrived.then(
        (late) => undo(late),
        () => {},
      );
      throw error;
    }
    if (place === undefined || 'token' in place) return place as Lease;
    inLine.set(name, (inLine.get(name) ?? 0) + 1);
    try {
      return await standInLine(line, place, signal);
    } finally {
      const left = (inLine.get(name) ?? 1) - 1;
      if (left > 0) inLine.set(name, left);
      else inLine.delete(name);
    }
  }

  /** Of somebody who had left when he was given it. */
  async function undo(late: Lease | Place): Promise<void> {
    if ('token' in late) await late[Symbol.asyncDispose]();
    else holdings.leave(late.open, late.name, late.queued);
  }

  return {
    domain: `etcd/${clusterId}`,
    async acquire(name, signal, children) {
      const waiting = AbortSignal.any([signal, stopped]);
      waiting.throwIfAborted();
      const lease = await wait({ name, children }, waiting);
      if (!waiting.aborted) return lease;
      await lease[Symbol.asyncDispose]();
      throw waiting.reason;
    },
  };
}

/** Milliseconds. */
const PATIENCE = 3_000;
