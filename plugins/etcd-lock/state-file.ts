// What this node remembers of the store, in its state directory: by it a store that forgot is recognized.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { v, writeDurably } from 'sltv';
import { fail } from './errors.ts';
import type { Remembered } from './generation.ts';

export interface Memory {
  get(): Remembered | undefined;
  /** An answer had this revision. */
  saw(revision: bigint): void;
  /** This node wrote a key at this revision that is never taken away; `isSeldom`: it is kept at once. */
  spoke(key: string, revision: bigint, isSeldom?: boolean): void;
  /** From now on it is this cluster in this generation; kept before it resolves. */
  adopt(cluster: { clusterId: string; n: number; uuid: string; revision: bigint }): Promise<void>;
  /** Writes what is not yet written. */
  save(): Promise<void>;
}

/**
 * Reads the file. `keeps`: whether revisions are worth writing: a daemon's are, every few seconds; a process that lives for
 * a moment would only be in its way. Errors: `etcd-lock/bad-state`.
 */
export async function openMemory(stateDir: string, keeps: () => boolean): Promise<Memory> {
  const path = join(stateDir, FILE);
  let now = await readState(path);
  let written = now;
  let last: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  function write(): Promise<void> {
    last = last
      .catch(() => {})
      .then(async () => {
        if (now === undefined || now === written) return;
        const state = now;
        await writeDurably(
          path,
          `${JSON.stringify(state, (_key, value) => (typeof value === 'bigint' ? String(value) : value))}\n`,
        );
        written = state;
      });
    return last;
  }

  function keepSoon(): void {
    if (!keeps()) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      // What could not be written now is written with what follows.
      write().catch(() => {});
    }, SECONDS_BETWEEN * 1000).unref();
  }

  return {
    get: () => now,
    saw(revision) {
      if (!now || revision <= now.revision) return;
      now = { ...now, revision };
      keepSoon();
    },
    spoke(key, revision, isSeldom = true) {
      if (!now || revision <= now.spoken) return;
      now = { ...now, spoken: revision, spokenAt: key };
      // A restored store is recognized by it when others wrote to it first.
      if (!isSeldom) keepSoon();
      else if (keeps()) write().catch(() => {});
    },
    async adopt(cluster) {
      now = { ...cluster, spoken: 0n, spokenAt: '' };
      await write();
    },
    async save() {
      clearTimeout(timer);
      timer = undefined;
      if (keeps()) await write();
    },
  };
}

const FILE = 'etcd-lock.json';
const SECONDS_BETWEEN = 3;

const BigIntInWords = v.pipe(
  v.string(),
  v.regex(/^\d+$/),
  v.transform((digits) => BigInt(digits)),
);
const State = v.object({
  clusterId: v.string(),
  n: v.number(),
  uuid: v.string(),
  revision: BigIntInWords,
  spoken: BigIntInWords,
  spokenAt: v.string(),
});

async function readState(path: string): Promise<Remembered | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return v.parse(State, JSON.parse(text));
  } catch (cause) {
    throw fail('bad-state', `what this node remembers of its cluster, in ${path}, can't be read`, {
      hint: `restore ${path}; without it this node could not tell when etcd was restored from an older backup`,
      cause,
    });
  }
}
