// The latest events, kept in memory for whoever asks, follows, or comes back after an interruption.
import { coreErrors } from '../errors.ts';
import type { Told } from '../kernel/capability.ts';
import { patiently } from '../patiently.ts';

export interface Kept extends Told {
  /** Where it stands: who comes back with it gets what came after. */
  readonly cursor: string;
}

export interface Wanted {
  /** Only what came after the event with this cursor. */
  readonly after?: string | undefined;
  /** Only what happened then or later. */
  readonly since?: Date | undefined;
  /** Goes on with what will happen; otherwise it ends with the latest. */
  readonly follow: boolean;
}

export interface EventLog {
  add(told: Told): void;
  /**
   * Events in their order. Where some are not kept any more, an event of type `events.missed` stands in their place. A reader
   * that is slow costs nothing: it misses some. Errors: `core/input` for a cursor that is none; the signal's reason.
   */
  read(wanted: Wanted, signal: AbortSignal): AsyncIterable<Kept>;
}

export interface EventLogOptions {
  /** Another one for each daemon's life, without a dash at its end: a cursor of an earlier life says nothing in this one. */
  readonly life: string;
  /** Events. */
  readonly capacity?: number;
}

/** About a megabyte, at most. */
const CAPACITY = 1_000;

export function createEventLog({ life, capacity = CAPACITY }: EventLogOptions): EventLog {
  let kept: Told[] = [];
  /** The number of the first that is kept; the first ever is 1. */
  let first = 1;
  let grown = Promise.withResolvers<void>();

  const cursorAt = (number: number) => `${life}-${number}`;
  const missed = (before: number, message: string): Kept => ({
    cursor: cursorAt(before - 1),
    time: kept[0]?.time ?? new Date(),
    type: 'events.missed',
    subject: 'sltv events',
    message,
  });

  /** The number of the first event to tell, and whether it is of this life. */
  function begin(after: string | undefined): { next: number; isSameLife: boolean } {
    if (after === undefined) return { next: first, isSameLife: true };
    const match = /^(.+)-(\d{1,15})$/.exec(after);
    if (!match)
      throw coreErrors('input', `'${after}' is no event's cursor`, { hint: 'take one from sltv events --json' });
    return match[1] === life ? { next: Number(match[2]) + 1, isSameLife: true } : { next: first, isSameLife: false };
  }

  return {
    add(told) {
      kept.push(told);
      if (kept.length > capacity) {
        // Not one at a time: that would move them all.
        const surplus = Math.ceil(capacity / 10);
        kept = kept.slice(surplus);
        first += surplus;
      }
      grown.resolve();
      grown = Promise.withResolvers();
    },
    async *read({ after, since, follow }, signal) {
      const begun = begin(after);
      let { next } = begun;
      if (!begun.isSameLife) yield missed(next, 'the daemon was started anew; what happened before is not kept');
      for (;;) {
        signal.throwIfAborted();
        if (next < first) {
          yield missed(first, `${first - next} events are not kept any more`);
          next = first;
        }
        const told = kept[next - first];
        if (told) {
          if (since === undefined || told.time >= since) yield { ...told, cursor: cursorAt(next) };
          next += 1;
        } else if (follow) await patiently(grown.promise, [signal]);
        else return;
      }
    },
  };
}
