// A pool: a directory, the volumes in it, and whose turn it is to change them.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createQueue,
  type Log,
  lockFile,
  type Node,
  type Pool,
  type Runner,
  syncDirectory,
  type Turn,
  type Writer,
} from 'sltv';
import { fail, inOurWords, missingFile, missingVolume } from './errors.ts';
import { isFile } from './files.ts';
import { claimPool, objectionToPool } from './marker.ts';
import { objectionToName } from './names.ts';
import { EXTENT, readRoom } from './room.ts';
import { catalogueOf } from './side-file.ts';
import { findVolume, listVolumes } from './volumes.ts';
import { createWriter } from './writer.ts';

/** What everything in this plugin knows of a pool. */
export interface DirPool {
  readonly name: string;
  /** Absolute, without a slash at its end. */
  readonly directory: string;
  readonly node: Node;
  readonly run: Runner;
  readonly log: Log;
}

export function createPool(pool: DirPool): Pool {
  const queue = createQueue();
  const complained = new Set<string>();
  return {
    name: pool.name,
    id: `${pool.node.machineId}:${pool.directory}`,
    kind: 'dir',
    source: 'file',
    async facts(signal) {
      signal.throwIfAborted();
      const [room, objection] = await inWords(pool, () => Promise.all([readRoom(pool), objectionToPool(pool)]));
      return { ...room, extent: EXTENT, devices: [pool.directory], readOnlyBecause: objection?.message };
    },
    async volumes(signal) {
      signal.throwIfAborted();
      const found = await inWords(pool, () => listVolumes(pool));
      for (const { volume, problem } of found) {
        if (problem && !complained.has(volume.name)) pool.log.warn(problem.message, { volume: volume.name });
        if (problem) complained.add(volume.name);
      }
      return found.map(({ volume }) => volume);
    },
    change: (turn, work) =>
      queue.run(turn, async () => {
        await using _lock = await lockPool(pool, turn.signal);
        return await withWriter(pool, turn, work);
      }),
    async activate(name, signal) {
      signal.throwIfAborted();
      const found = await findVolume(pool, name);
      if (!found) throw missingVolume(pool.name, name);
      if (!found.hasFile) throw missingFile(found.volume);
    },
    // A file's path is there as long as the file is.
    deactivate: async () => {},
    isActive: ({ path }) => isFile(path),
    objectsTo: objectionToName,
  };
}

/**
 * Keeps other processes out: a hook's, or a second daemon's. Marks the pool at the first change of all.
 * Errors: `dir/other-domain`, `dir/newer`, `dir/read-only`, `dir/pool-missing`.
 */
async function lockPool(pool: DirPool, signal: AbortSignal): Promise<AsyncDisposable> {
  const objection = await objectionToPool(pool);
  if (objection) throw objection;
  return inWords(pool, async () => {
    await using undo = new AsyncDisposableStack();
    await makeCatalogue(pool);
    undo.use(await lockFile(join(catalogueOf(pool), 'lock'), signal));
    await claimPool(pool);
    return undo.move();
  });
}

/** Not with its parents: a directory that is not mounted must not be made up. */
async function makeCatalogue(pool: DirPool): Promise<void> {
  try {
    await mkdir(catalogueOf(pool), { mode: 0o700 });
    await syncDirectory(pool.directory);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** A writer that can do nothing once the work has ended. */
async function withWriter<T>(pool: DirPool, { tell }: Turn, work: (writer: Writer) => Promise<T>): Promise<T> {
  let isOver = false;
  const during = <R>(step: () => Promise<R>): Promise<R> => {
    if (isOver) throw fail('turn-over', `this turn on pool ${pool.name} is over`);
    return inWords(pool, step);
  };
  try {
    return await work(createWriter(pool, during, tell));
  } finally {
    isOver = true;
  }
}

async function inWords<T>(pool: DirPool, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inOurWords(error, pool.name, pool.directory);
  }
}
