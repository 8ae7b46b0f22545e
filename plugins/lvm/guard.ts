// Watches a shared VG through a turn: it is as the last holder of its lock left it, each command starts from what the one
// before it made, and what stands there afterwards is what our command wrote. Else nothing more is written, here or, since
// the mark stays behind the VG, by anybody who gets the lock next.
import { randomUUID } from 'node:crypto';
import type { Handover, Lease, Log, SltvError } from 'sltv';
import { lvmErrors } from './errors.ts';
import { type Commit, judge, type Mark, readMark, writeMark } from './handover.ts';
import type { ReadIdentity } from './identity.ts';

export interface Guard {
  /**
   * Compares the VG with what was left by the last holder, or by the last turn of this one; one that is new to these locks counts as it is. Errors: `lvm/lost-update`,
   * `lvm/foreign-write`, `lvm/unreadable`.
   */
  begin(isNew?: boolean): Promise<void>;
  /** Takes the VG for right as it stands, and says what is taken. Errors: `lvm/unreadable`. */
  accept(): Promise<void>;
  /** Runs a command that commits, and has a word in its command line. Errors: as begin, and the command's own. */
  watch(command: (word: string) => Promise<void>): Promise<void>;
  /** Runs a command of which nothing is known before; what it makes counts, unless the VG was another than was left. */
  adopt<T>(command: () => Promise<T>): Promise<T>;
  /** Leaves the mark, of the last commit that is proven to be ours. Errors: as begin, when the VG is not at that any more. */
  end(): Promise<void>;
  /** What was found wrong, and at which commit; undefined when nothing was. */
  trouble(): Found | undefined;
}

export interface Found {
  readonly error: SltvError;
  readonly sequence: number;
}

export interface GuardOptions {
  readonly vg: { readonly name: string; readonly uuid: string };
  readonly lease: Lease;
  readonly handover: Handover;
  /** The VG's identity as it stands on its devices, with the texts' endings. */
  readonly read: () => ReturnType<ReadIdentity>;
  readonly log: Log;
}

export function createGuard({ vg, lease, handover, read, log }: GuardOptions): Guard {
  /** What the VG must be at; undefined until it is known. */
  let expected: Commit | undefined;
  /** The word of a command of which it is not known yet what it made. */
  let unread: string | undefined;
  let found: Found | undefined;

  /** Who has lost the lock sees others' commits, and has nothing to say of them. */
  async function broken(verdict: Trouble, left: Commit, now: Commit): Promise<SltvError> {
    await mustHold(lease, vg.name);
    const error = SENTENCES[verdict](vg.name, left, now);
    found = { error, sequence: now.sequence };
    log.error(error.message, { code: error.code, left: left.content, now: now.content });
    return error;
  }

  async function mustRead() {
    const now = await read();
    if (now) return now;
    throw lvmErrors('unreadable', `which commit volume group ${vg.name} is at can't be read from its devices`, {
      hint: `nothing is written meanwhile; look at them: pvs -o +pv_missing,pv_mda_used_count, and the kernel's log`,
    });
  }

  async function begin(isNew = false): Promise<void> {
    const now = await mustRead();
    if (expected) {
      if (!isSame(expected, now)) throw await broken(whatElse(expected, now), expected, now);
      return;
    }
    const left = isNew ? undefined : leftBy(handover, vg);
    if (left) {
      const verdict = judge(left, now, handover.isOrderly && left.isFinal);
      if (verdict === 'lost-update' || verdict === 'foreign-write') throw await broken(verdict, left, now);
      if (verdict === 'accepted') {
        const commits = now.sequence - left.sequence;
        log.warn(`volume group ${vg.name} has ${commits} more commits than its last holder could tell of`);
      }
    }
    expected = now;
  }

  /** Whether the VG is at what our last command made of it; what it is at then counts. */
  function isOurs(now: Commit & { readonly endings: readonly string[] }, word: string): boolean {
    return now.endings.every((ending) => ending.includes(word) || !ending.includes(TELLS_ITS_COMMAND));
  }

  async function watch(command: (word: string) => Promise<void>): Promise<void> {
    const before = await mustRead();
    const from = expected ?? before;
    if (!isSame(from, before)) throw await broken(whatElse(from, before), from, before);
    const word = randomUUID();
    unread = word;
    const failure = await command(word).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const after = await mustRead().catch((error: unknown) => {
      throw failure ? failure.error : error;
    });
    unread = undefined;
    if (!isSame(from, after)) {
      const isOverwritten = failure === undefined && after.sequence === from.sequence + 1;
      if (!isOurs(after, word)) {
        if (isOverwritten) throw await broken('lost-update', after, after);
        throw await broken(whatElse(from, after), from, after);
      }
      expected = after;
    }
    if (failure) throw failure.error;
  }

  async function end(): Promise<void> {
    if (expected === undefined) return;
    const made = expected;
    const leave = (commit: Commit, isFinal: boolean) =>
      lease.leave(writeMark({ uuid: vg.uuid, sequence: commit.sequence, content: commit.content, isFinal }));
    const now = found || lease.lost.aborted ? undefined : await read();
    if (now === undefined) return leave(made, unread === undefined);
    if (unread !== undefined && now.sequence > made.sequence && isOurs(now, unread)) return leave(now, true);
    leave(made, true);
    if (isSame(made, now)) return;
    const error = await broken(whatElse(made, now), made, now).catch(() => undefined);
    if (error) throw error;
  }

  return {
    begin,
    async accept() {
      expected = await mustRead();
      const left = handover.mark === undefined ? 'nothing' : `'${handover.mark}'`;
      log.warn(`volume group ${vg.name} is taken as it stands, at commit ${expected.sequence}; what was left: ${left}`);
    },
    watch,
    async adopt(command) {
      await begin().catch(() => {});
      await mustHold(lease, vg.name);
      // Whatever it wrote is ours.
      unread = '';
      const done = await command();
      if (expected) expected = await mustRead();
      unread = undefined;
      return done;
    },
    end,
    trouble: () => found,
  };
}

/** What the last holder left; undefined when there was none. Errors: `lvm/unreadable`, for what a newer sltv left. */
function leftBy({ mark }: Handover, { name, uuid }: GuardOptions['vg']): Mark | undefined {
  if (mark === undefined) return undefined;
  const left = readMark(mark);
  if (left?.uuid === uuid) return left;
  throw lvmErrors('unreadable', `what the last holder of the lock on volume group ${name} left is not understood`, {
    hint: 'a newer sltv may have left it: upgrade sltv on this host',
    cause: mark,
  });
}

/** Errors: `lvm/lock-lost`. */
export async function mustHold(lease: Lease, vg: string): Promise<void> {
  await lease.prove().catch((cause: unknown) => {
    throw lvmErrors('lock-lost', `the lock on volume group ${vg} was lost: nothing more is written`, {
      hint: 'try again',
      cause,
    });
  });
}

type Trouble = 'lost-update' | 'foreign-write';

const isSame = (a: Commit, b: Commit): boolean => judge(a, b, true) === 'same';

const whatElse = (left: Commit, now: Commit): Trouble =>
  now.sequence > left.sequence ? 'foreign-write' : 'lost-update';

/** lvm writes the command behind the metadata; an lvm that doesn't can't be told from another. */
const TELLS_ITS_COMMAND = 'description = "Write from ';

const SENTENCES = {
  'lost-update': (vg: string, left: Commit, now: Commit) =>
    lvmErrors(
      'lost-update',
      now.sequence < left.sequence
        ? `volume group ${vg} has gone back: it was left at commit ${left.sequence}, and is at ${now.sequence}`
        : `an update of volume group ${vg} is lost: commit ${now.sequence} is there with other content than it was made with`,
      {
        hint: `nothing is written until a person has looked: compare the newest files in /etc/lvm/archive and /etc/lvm/backup of every host, put back what is missing (vgcfgrestore), then: sltv pool accept ${vg}`,
      },
    ),
  'foreign-write': (vg: string, left: Commit, now: Commit) =>
    lvmErrors(
      'foreign-write',
      `somebody wrote to volume group ${vg} without its lock: it was left at commit ${left.sequence}, and is at ${now.sequence}`,
      {
        hint: `nothing is written until a person has looked: the newest files in /etc/lvm/archive of every host name the commands; once that is explained: sltv pool accept ${vg}`,
      },
    ),
};
