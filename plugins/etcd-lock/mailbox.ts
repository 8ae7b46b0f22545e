// Questions between daemons, as two keys each: the question under the node that is asked, the answer beside it. Both live no
// longer than the lease of who asks.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorDetail, type Log, type Place, type Question, SltvError, v } from 'sltv';
import { type Bell, bellAt } from './bell.ts';
import { fail } from './errors.ts';
import { type Entry, type Kv, LeaseGone } from './kv.ts';
import type { Open, Session } from './session.ts';
import { Answered, Asked, read } from './stored.ts';

export interface Mailbox extends Disposable {
  /** Kinds: `unavailable`, and those of what the answer threw. */
  ask<Q, A>(node: string, question: Question<Q, A>, asked: Q, signal: AbortSignal): Promise<A>;
  answer<Q, A>(question: Question<Q, A>, reply: (asked: Q, by: Place) => Promise<A>): void;
  /** Questions are answered from now on. */
  open(): void;
}

type Reply = (asked: unknown, by: Place) => Promise<unknown>;

export function createMailbox(session: Session, log: Log): Mailbox {
  const { keys, self } = session;
  const replies = new Map<string, Reply>();
  /** What is being answered or has been: a question lies there until its asker has the answer. */
  const taken = new Set<string>();
  let bell: Bell | undefined;
  const closed = new AbortController();

  /** For as long as the daemon lives; what could not be looked at now is looked at again. */
  async function collectAlways(at: Bell): Promise<void> {
    while (!closed.signal.aborted) {
      await at.rung([closed.signal]);
      await collect().catch(async (error: unknown) => {
        log.debug('the mailbox could not be looked at', { error });
        await sleep(AGAIN, undefined, { signal: closed.signal });
        at.ring();
      });
    }
  }

  async function collect(): Promise<void> {
    const questions = keys.questions(self.node);
    const { found } = await session.txn({ when: [], act: [{ get: questions }], otherwise: [] });
    const there = new Set(found[0]?.map(({ key }) => key));
    for (const key of taken) if (!there.has(key)) taken.delete(key);
    for (const entry of found[0] ?? []) {
      if (taken.has(entry.key)) continue;
      taken.add(entry.key);
      answerTo(entry).catch((error: unknown) => {
        taken.delete(entry.key);
        log.warn('a question of another node could not be answered yet', { error });
        sleep(AGAIN, undefined, { signal: closed.signal }).then(
          () => bell?.ring(),
          () => {},
        );
      });
    }
  }

  async function answerTo(entry: Entry): Promise<void> {
    const asked = read(Asked, entry);
    if (!asked) return;
    const reply = replies.get(asked.question) ?? (() => Promise.reject(unknownQuestion(asked.question, self.node)));
    const answered = await reply(decoded(asked.asked), asked.by).then(
      (value) => ({ value: encoded(value) }),
      (error: unknown) => ({ error: wordsOf(error) }),
    );
    const key = keys.answer(keys.nameIn(entry.key));
    try {
      await session.txn({
        when: [{ key: entry.key, is: 'present' }],
        act: [{ put: { key, value: JSON.stringify(answered), lease: asked.lease } }],
        otherwise: [],
      });
    } catch (error) {
      // Nobody waits any more.
      if (!(error instanceof LeaseGone)) throw error;
    }
  }

  /** The question goes with the lease; then it is asked again, on the next one. */
  async function askUntil(node: string, what: { question: string; asked: unknown }, waiting: AbortSignal) {
    for (;;) {
      const open = await session.ready();
      try {
        return await askOnce(node, what, open, AbortSignal.any([waiting, open.ended.signal]));
      } catch (error) {
        if (error instanceof LeaseGone) session.lost(open);
        else if (waiting.aborted || !open.ended.signal.aborted) throw error;
      }
    }
  }

  async function askOnce(
    node: string,
    what: { question: string; asked: unknown },
    { lease }: Open,
    signal: AbortSignal,
  ) {
    const id = randomUUID();
    const [key, answer] = [keys.question(node, id), keys.answer(id)];
    const value = JSON.stringify({ by: { node: self.node, boot: self.boot }, ...what, lease });
    try {
      const { holds } = await session.txn({
        when: [{ key: keys.node(node), is: 'present' }],
        act: [{ put: { key, value, lease } }],
        otherwise: [],
      });
      if (!holds) throw fail('node-down', `the daemon of ${node} is not there`, { hint: 'sltv node list' });
      return await answerAt(session.kv, answer, signal);
    } finally {
      const away = [{ remove: { key } }, { remove: { key: answer } }];
      // With the lease they go in any case.
      session.txn({ when: [], act: away, otherwise: [] }).catch(() => {});
    }
  }

  return {
    answer(question, reply) {
      replies.set(question.id, async (asked, by) => {
        const checked = v.safeParse(question.asked, asked);
        if (!checked.success) throw badQuestion(question.id, self.node, checked.issues[0].message);
        return await reply(checked.output, by);
      });
    },

    async ask(node, question, asked, signal) {
      signal.throwIfAborted();
      const patience = AbortSignal.timeout(DEADLINE);
      const waiting = AbortSignal.any([signal, patience]);
      const answered = await askUntil(node, { question: question.id, asked: encoded(asked) }, waiting).catch(
        (cause) => {
          if (signal.aborted || !patience.aborted || cause instanceof SltvError) throw cause;
          throw fail('no-answer', `${node} did not answer within ${DEADLINE / 1000} s`, {
            hint: `systemctl status sltv on ${node}`,
            cause,
          });
        },
      );
      if ('error' in answered) throw errorFrom(answered.error);
      const checked = v.safeParse(question.answered, decoded(answered.value));
      if (checked.success) return checked.output;
      throw fail('bad-answer', `${node} answered ${question.id} in a way that this sltv does not understand`, {
        hint: 'run the same version on all nodes: sltv node list',
        cause: checked.issues[0].message,
      });
    },

    open() {
      if (bell) return;
      bell = bellAt(session.kv, [keys.questions(self.node)]);
      collectAlways(bell).catch(() => {});
    },

    [Symbol.dispose]() {
      closed.abort();
      bell?.[Symbol.dispose]();
    },
  };
}

/** Milliseconds. */
const DEADLINE = 10_000;
/** Milliseconds before the mailbox is looked at again that could not be. */
const AGAIN = 200;

async function answerAt(kv: Kv, key: string, signal: AbortSignal) {
  using bell = bellAt(kv, [{ key }]);
  for (;;) {
    await bell.rung([signal]);
    const { found } = await kv.txn({ when: [], act: [{ get: { key } }], otherwise: [] });
    const answered = read(Answered, found[0]?.[0]);
    if (answered) return answered;
  }
}

function wordsOf(error: unknown) {
  const known =
    error instanceof SltvError
      ? error
      : fail('answer-failed', `it failed: ${error instanceof Error ? error.message : String(error)}`);
  const { kind, code, message, hint } = known;
  return { kind, code, message, hint };
}

const errorFrom = ({
  kind,
  code,
  message,
  hint,
}: Omit<ErrorDetail, 'cause'> & Pick<SltvError, 'kind' | 'code' | 'message'>) =>
  new SltvError(kind, code, message, { hint });

const unknownQuestion = (id: string, node: string) =>
  fail('no-such-question', `the sltv of ${node} does not know the question ${id}`, {
    hint: 'run the same version on all nodes: sltv node list',
  });

const badQuestion = (id: string, node: string, because: string) =>
  fail('bad-question', `the sltv of ${node} does not understand the question ${id}: ${because}`, {
    hint: 'run the same version on all nodes: sltv node list',
  });

/** JSON has no word for sizes beyond 2^53. */
const encoded = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value ?? null, (_key, inner: unknown) =>
      typeof inner === 'bigint' ? { [BIGINT]: String(inner) } : inner,
    ),
  );

const decoded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value ?? null), (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && BIGINT in inner ? BigInt(String(inner[BIGINT])) : inner,
  );

const BIGINT = '$bigint';
