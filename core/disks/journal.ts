// What makes a retry safe: what a request id was decided to mean, kept before the command that does it. A hint: losing
// it loses no disk.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { coreErrors } from '../errors.ts';
import { createDurably, writeDurably } from '../files.ts';

const Decision = v.object({
  requestId: v.string(),
  /** `disk.extend`, … */
  operation: v.string(),
  /** What was asked, so that one id can't mean two things. */
  asked: v.string(),
  pool: v.string(),
  name: v.string(),
  disk: v.string(),
  /** The absolute size, bytes, that a delta became. */
  size: v.optional(v.string()),
  done: v.boolean(),
});
export type Decision = v.InferOutput<typeof Decision>;

export interface Journal {
  /** What was decided for this id. Errors: `core/request-reused` when it stood for something else. */
  recall(requestId: string, operation: string, asked: object): Promise<Decision | undefined>;
  /** Keeps a decision; it survives a power cut when this returns. */
  decide(decision: Omit<Decision, 'done' | 'asked'> & { asked: object }): Promise<void>;
  /** Remembers that it was carried out, where somebody asks after those that were not: a creation, an adoption. */
  finish(requestId: string): Promise<void>;
  /** What was decided for this id, whatever it was, once that has been carried out. */
  finished(requestId: string): Promise<Decision | undefined>;
  /** Decisions that were not carried out, as far as this host knows. */
  unfinished(operation: string): Promise<readonly Decision[]>;
  /** Forgets what is older than a day. */
  prune(): Promise<void>;
}

const DAY = 24 * 60 * 60 * 1000;

export function createJournal(directory: string): Journal {
  const fileOf = (requestId: string) => join(directory, `${createHash('sha256').update(requestId).digest('hex')}.json`);
  /** Commits wait for it, and most requests come once: what costs more is done when the plain way is barred. */
  async function write(path: string, content: string): Promise<void> {
    try {
      await createDurably(path, content);
    } catch {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writeDurably(path, content);
    }
  }
  const files = async () => (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.json'));
  return {
    async recall(requestId, operation, asked) {
      const decision = await load(fileOf(requestId));
      if (!decision) return undefined;
      if (decision.operation === operation && decision.asked === wordsOf(asked)) return decision;
      throw coreErrors('request-reused', `request id ${requestId} stood for another ${decision.operation} request`, {
        hint: 'use a fresh request id for each request',
      });
    },
    async decide(decision) {
      const content = { ...decision, asked: wordsOf(decision.asked), done: false } satisfies Decision;
      await write(fileOf(decision.requestId), JSON.stringify(content));
    },
    async finish(requestId) {
      const decision = await load(fileOf(requestId));
      // Durably: a creation that looks unended after a power cut would have its ends cleared once more.
      if (decision) await writeDurably(fileOf(requestId), JSON.stringify({ ...decision, done: true }));
    },
    async finished(requestId) {
      const decision = await load(fileOf(requestId));
      return decision?.done ? decision : undefined;
    },
    async unfinished(operation) {
      const decisions = await Promise.all((await files()).map((name) => load(join(directory, name))));
      return decisions.filter(
        (decision) => decision !== undefined && decision.operation === operation && !decision.done,
      ) as Decision[];
    },
    async prune() {
      for (const name of await files()) {
        const { mtimeMs } = await stat(join(directory, name));
        if (Date.now() - mtimeMs > DAY) await rm(join(directory, name), { force: true });
      }
    },
  };
}

/** A file that a power cut left torn counts as none: the journal is a hint. */
async function load(path: string): Promise<Decision | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Decision), text);
  return parsed.success ? parsed.output : undefined;
}

const wordsOf = (asked: object): string =>
  JSON.stringify(asked, (_key, value) => (typeof value === 'bigint' ? String(value) : value));
