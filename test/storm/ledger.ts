// What a host writes down before and after each thing that it does: a line each, which is there before the next step, so
// that kill -9 loses none. All processes of a machine have one steady clock, which orders the lines of all hosts.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { Volume } from '../../core/capabilities/storage.ts';

/** A disk in words, the same for the same size and notes; '' where there is none. */
export type State = string;

type Step =
  /** Operations are about to begin, and wait for their turn. */
  | { readonly is: 'asks' }
  /** Its turn has come: it alone may write. */
  | { readonly is: 'turn' }
  /** A commit begins, of what was seen, to make of it what is meant. */
  | { readonly is: 'begins'; readonly disk: string; readonly seen: State; readonly means: State }
  /** It ended well, and this was read back. */
  | { readonly is: 'made'; readonly disk: string; readonly got: State }
  /** It ended otherwise: nobody says what it made. */
  | { readonly is: 'failed'; readonly disk: string }
  /** One operation is done. */
  | { readonly is: 'did'; readonly what: string }
  /** The turn is about to end. */
  | { readonly is: 'leaves' }
  /** It ended well: all that was made in it counts. */
  | { readonly is: 'left' }
  /** All have ended: `acknowledged`, or an error's code. */
  | { readonly is: 'ends'; readonly as: string; readonly because?: string };

export type Line = Step & {
  /** Nanoseconds of the machine's steady clock, as text. */
  readonly at: string;
  readonly host: string;
  /** One row of operations of one process. */
  readonly act: string;
};

export interface Ledger {
  write(act: string, step: Step): void;
}

export function openLedger(path: string, host: string): Ledger {
  const file = openSync(path, 'a');
  return {
    write(act, step) {
      writeSync(file, `${JSON.stringify({ at: String(process.hrtime.bigint()), host, act, ...step })}\n`);
    },
  };
}

/** Reads what was written since the last time. */
export function followLedgers(paths: readonly string[]): () => readonly Line[] {
  const read = new Map<string, number>();
  return () => {
    const lines = paths.flatMap((path) => {
      const from = read.get(path) ?? 0;
      const text = textFrom(path, from);
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      read.set(path, from + Buffer.byteLength(whole));
      return whole
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line); // written by openLedger
    });
    return lines.toSorted((a, b) => (BigInt(a.at) < BigInt(b.at) ? -1 : 1));
  };
}

/** Whether the last turn that is written down there has begun or left; undefined where there was none lately. */
export function lastTurn(path: string): 'turn' | 'leaves' | undefined {
  const text = textFrom(path, -LATELY);
  const [last] = [...text.matchAll(/"is":"(turn|leaves)"/g)].slice(-1);
  return last?.[1] === 'turn' || last?.[1] === 'leaves' ? last[1] : undefined;
}

/** Bytes. */
const LATELY = 8192;

/** From the beginning, or with a number below 0 from the end. */
function textFrom(path: string, from: number): string {
  const file = openSync(path, 'a+');
  try {
    const { size } = fstatSync(file);
    const begin = from < 0 ? Math.max(0, size + from) : from;
    const buffer = Buffer.alloc(size - begin);
    readSync(file, buffer, 0, buffer.length, begin);
    return buffer.toString();
  } finally {
    closeSync(file);
  }
}

export function stateOf(volume: Pick<Volume, 'size' | 'notes'> | undefined): State {
  if (!volume) return '';
  const notes = Object.entries(volume.notes).flatMap(([key, values]) => values.map((value) => `${key}=${value}`));
  return [volume.size, ...notes.toSorted()].join(' ');
}
