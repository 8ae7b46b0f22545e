// A pool that is a folder: each volume is a folder in it, with its bytes and its notes side by side.
import { mkdir, realpath } from 'node:fs/promises';
import { createQueue, definePlugin, lockFile, type Node, type Pool, Storage, v, type Writer } from 'sltv';
import { fail, missing } from './errors.ts';
import { EXTENT, type FolderPool, findVolume, isFile, listVolumes, objectionToName } from './volumes.ts';
import { createWriter } from './writer.ts';

export default definePlugin({
  name: 'folder-pool',
  api: 1,
  options: v.strictObject({
    /** What users call the pool. */
    name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]*$/, 'expected a name of lower-case letters, digits and dashes')),
    /** Where it is; made if it isn't there. */
    folder: v.pipe(v.string(), v.startsWith('/', 'expected a folder by its absolute path')),
    /** What its volumes may take together, gibibytes; that the file system has as much is up to you. */
    capacity: v.pipe(v.number(), v.integer(), v.minValue(1)),
  }),
  errors: fail,
  provides: { storage: Storage },
  async setup({ options: { name, folder, capacity }, node }) {
    // QEMU runs as a user of its own and must reach its files, which nobody needs to list.
    await mkdir(folder, { recursive: true, mode: 0o711 });
    const pool = createPool({ name, folder: await realpath(folder), capacity: BigInt(capacity) << 30n }, node);
    return { provides: { storage: { kind: 'folder', pools: async () => [pool] } } };
  },
});

function createPool(own: FolderPool, node: Node): Pool {
  const queue = createQueue();
  const mustBeThere = async (name: string, signal: AbortSignal) => {
    signal.throwIfAborted();
    if (!(await findVolume(own, name))) throw missing(own.name, name);
  };
  return {
    name: own.name,
    id: `${node.machineId}:${own.folder}`,
    kind: 'folder',
    source: 'file',
    facts: async () => ({ ...(await roomOf(own)), extent: EXTENT, devices: [own.folder] }),
    volumes: () => listVolumes(own),
    change: (turn, work) =>
      queue.run(turn, async () => {
        // Against other processes of this host, such as a hook's.
        await using _lock = await lockFile(`${own.folder}/.lock`, turn.signal);
        return await withWriter(own, work);
      }),
    activate: mustBeThere,
    // A file's path is there as long as the file is.
    deactivate: async () => {},
    isActive: ({ path }) => isFile(path),
    objectsTo: objectionToName,
  };
}

/** What all volumes were promised is nobody's any more, whether they have taken it yet or not. */
async function roomOf(own: FolderPool): Promise<{ size: bigint; free: bigint }> {
  const promised = (await listVolumes(own)).reduce((sum, { size }) => sum + size, 0n);
  return { size: own.capacity, free: own.capacity > promised ? own.capacity - promised : 0n };
}

/** A writer that can do nothing once its turn is over. */
async function withWriter<T>(own: FolderPool, work: (writer: Writer) => Promise<T>): Promise<T> {
  let isOver = false;
  const during = async <R>(step: () => Promise<R>): Promise<R> => {
    if (isOver) throw fail('turn-over', `this turn on pool ${own.name} is over`);
    return await step();
  };
  try {
    return await work(createWriter(own, { during, room: () => roomOf(own) }));
  } finally {
    isOver = true;
  }
}
