// What this node has promised to others: that it activates a volume no more while one of them takes the disk over.
//
// A promise is a file in the state directory, which the hook's process sees as the daemon does. It outlives a power cut: the next
// boot may start a VM by a note of this one, while the other node still rests on what this one said. It ends when the other node
// says that it is through; or when it is old, but then only under the pool's lock, since the other's commit may have begun before
// it was.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { syncDirectory, writeDurably } from '../files.ts';
import type { Node } from '../node.ts';

const Promised = v.object({
  pool: v.string(),
  name: v.string(),
  /** Ids of the disk, and of what is done with it. */
  disk: v.string(),
  claim: v.string(),
  /** The node that it was given to. */
  by: v.string(),
  /** In which boot of this node, and until when: seconds since that began, by a clock that nobody sets and all processes share. */
  boot: v.string(),
  until: v.number(),
});
export type Promised = v.InferOutput<typeof Promised>;

export interface Promises {
  /** Keeps one for as long as it may take another node to commit; it holds, also after a power cut, when this returns. */
  give(promised: Omit<Promised, 'boot' | 'until'>): Promise<void>;
  /** Those about one disk. */
  of(disk: string): Promise<readonly Promised[]>;
  all(): Promise<readonly Promised[]>;
  /** Forgets one; gone already: nothing. */
  withdraw(promised: Pick<Promised, 'disk' | 'claim'>): Promise<void>;
  /** Too old to be rested on by whom it was given to. */
  isOld(promised: Promised): boolean;
}

/** Seconds for which a promise may be rested on, from when it was asked for; and for which it is kept, from then on. */
export const GOOD_FOR = 30;
const KEPT_FOR = 90;

/** `now`: seconds since this host's boot. */
export function createPromises(
  { stateDir, bootId }: Pick<Node, 'stateDir' | 'bootId'>,
  now: () => number = uptime,
): Promises {
  const directory = join(stateDir, 'promises');
  const fileOf = ({ disk, claim }: Pick<Promised, 'disk' | 'claim'>) => join(directory, `${disk}.${claim}`);
  const files = async () => (await readdir(directory).catch(() => [])).filter((name) => /^[^.]+\.[^.]+$/.test(name));
  const load = async (names: readonly string[]) => await Promise.all(names.map((name) => read(directory, name)));
  return {
    async give(promised) {
      if ((await mkdir(directory, { recursive: true, mode: 0o700 })) !== undefined) await syncDirectory(stateDir);
      const whole: Promised = { ...promised, boot: bootId, until: now() + KEPT_FOR };
      await writeDurably(fileOf(promised), JSON.stringify(whole));
    },
    of: async (disk) => await load((await files()).filter((name) => name.startsWith(`${disk}.`))),
    all: async () => await load(await files()),
    withdraw: async (promised) => await rm(fileOf(promised), { force: true }),
    // One of an earlier boot was given before this one began, which is all that is known of its age.
    isOld: ({ boot, until }) => now() > (boot === bootId ? until : KEPT_FOR),
  };
}

/** One that can't be read is still a promise, to somebody, and ends as an old one does. */
async function read(directory: string, file: string): Promise<Promised> {
  const text = await readFile(join(directory, file), 'utf8').catch(() => '');
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Promised), text);
  if (parsed.success) return parsed.output;
  const [disk = '', claim = ''] = file.split('.');
  return { pool: '', name: '', disk, claim, by: 'another node', boot: '', until: 0 };
}
