// Locks as files in a folder, for several daemons of one host that write to the same storage.
//
// Who wants a lock draws a number, locks a file of that number, and waits until all files with lower ones are free. The kernel
// frees the file of a process that ends, however it ends, so nobody waits for the dead.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createQueue, definePlugin, type Handover, type Lease, Locks, lockFile, v, writeDurably } from 'sltv';

export default definePlugin({
  name: 'lock-file',
  api: 1,
  options: v.strictObject({
    /** Where the files are. */
    folder: v.pipe(v.string(), v.startsWith('/', 'expected a folder by its absolute path')),
  }),
  provides: { locks: Locks },
  setup({ options: { folder }, node, run, signal, defer }) {
    // Two folders are two worlds: storage that one of them protects must not be written under the other.
    const world = createHash('sha256').update(folder).digest('hex').slice(0, 16);
    // Calls of this process draw in their order, whichever file is opened first.
    const line = createQueue();
    const held = new Set<AsyncDisposable>();
    defer(async () => {
      for (const ticket of held) await ticket[Symbol.asyncDispose]();
    });

    const locks: Locks = {
      domain: `lock-file/${node.machineId}-${world}`,
      async acquire(name, caller, children) {
        const own = join(folder, encodeURIComponent(name));
        const waiting = AbortSignal.any([caller, signal]);
        const { number, ticket } = await line.run({ signal: waiting }, () => draw(own, waiting));
        held.add(ticket);
        const letGo = async () => {
          await rm(join(own, `${number}`), { force: true });
          await ticket[Symbol.asyncDispose]();
          held.delete(ticket);
        };
        try {
          await passed(own, number, waiting);
          // A holder that died may have left a command that still writes.
          if (children !== undefined) await run.quiet(children, waiting);
          return await lease(own, number, signal, letGo);
        } catch (error) {
          await letGo();
          throw error;
        }
      },
    };
    return { provides: { locks } };
  },
});

interface Ticket {
  readonly number: bigint;
  /** Its file, locked. */
  readonly ticket: AsyncDisposable;
}

/** A number that nobody had before. One draws at a time, so that a higher one came later. */
async function draw(own: string, signal: AbortSignal): Promise<Ticket> {
  await mkdir(own, { recursive: true, mode: 0o700 });
  await using _alone = await lockFile(join(own, 'draw'), signal);
  const last = join(own, 'last');
  const number = BigInt(await readFile(last, 'utf8').catch(() => '0')) + 1n;
  await writeDurably(last, `${number}`);
  return { number, ticket: await lockFile(join(own, `${number}`), signal) };
}

/** Waits until nobody who drew a lower number has its file. */
async function passed(own: string, number: bigint, signal: AbortSignal): Promise<void> {
  const earlier = (await readdir(own)).filter((name) => /^\d+$/.test(name) && BigInt(name) < number);
  for (const name of earlier) {
    await using _free = await lockFile(join(own, name), signal);
    await rm(join(own, name), { force: true });
  }
}

async function lease(own: string, token: bigint, lost: AbortSignal, letGo: () => Promise<void>): Promise<Lease> {
  const file = join(own, 'handover');
  const handover = await readHandover(file);
  // What the next one finds if this process ends before it gives back.
  await writeDurably(file, JSON.stringify({ ...handover, isOrderly: false }));
  let next = handover;
  let isOver = false;
  return {
    token,
    lost,
    remaining: () => (lost.aborted ? 0 : Number.POSITIVE_INFINITY),
    prove: async () => lost.throwIfAborted(),
    handover,
    leave: (mark) => {
      next = { mark, isOrderly: true };
    },
    async [Symbol.asyncDispose]() {
      if (isOver || lost.aborted) return;
      isOver = true;
      await writeDurably(file, JSON.stringify(next));
      await letGo();
    },
  };
}

const Handed = v.object({ mark: v.optional(v.string()), isOrderly: v.boolean() });

async function readHandover(file: string): Promise<Handover> {
  const text = await readFile(file, 'utf8').catch(() => '{"isOrderly":true}');
  const { mark, isOrderly } = v.parse(Handed, JSON.parse(text));
  return { mark, isOrderly };
}
