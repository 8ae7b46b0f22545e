// What one holder of a VG's lock leaves for the next, and what it means when the VG is not as it was left. Sequence numbers
// alone would not do: a command that read before another's commit and wrote after it makes the same number once more, and
// what it overwrote is gone without a trace.

/** Which commit a VG is at. */
export interface Commit {
  readonly sequence: number;
  /** Of the committed text: an Identity's. */
  readonly content: string;
}

export interface Mark extends Commit {
  readonly uuid: string;
  /** False: the last command's result could not be read back, so that there may be a commit more. */
  readonly isFinal: boolean;
}

/**
 * `same`: as it was left. `accepted`: further commits, of a holder that could not leave a mark any more. `lost-update`: what
 * was left is not there. `foreign-write`: further commits, by nobody who held the lock.
 */
export type Verdict = 'same' | 'accepted' | 'lost-update' | 'foreign-write';

/** Judges a VG by what was left of it; not orderly where somebody held the lock since and did not give it back. */
export function judge(left: Commit, now: Commit, isOrderly: boolean): Verdict {
  if (now.sequence < left.sequence) return 'lost-update';
  if (now.sequence === left.sequence) return now.content === left.content ? 'same' : 'lost-update';
  return isOrderly ? 'foreign-write' : 'accepted';
}

/** As a lock keeps it: `1 UUID SEQUENCE CONTENT`, and `open` behind it when it is not final. */
export function writeMark({ uuid, sequence, content, isFinal }: Mark): string {
  return [VERSION, uuid, sequence, content, ...(isFinal ? [] : ['open'])].join(' ');
}

/** Reads what writeMark wrote; undefined for anything else, such as what a newer sltv writes. */
export function readMark(text: string): Mark | undefined {
  const match = /^1 (\S+) (\d+) (\S+)( open)?$/.exec(text);
  const [, uuid = '', sequence = '', content = '', open] = match ?? [];
  return match ? { uuid, sequence: Number(sequence), content, isFinal: open === undefined } : undefined;
}

const VERSION = '1';
