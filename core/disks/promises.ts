// What this node has promised to others: that it activates a volume no more while one of them takes the disk over.
//
// A promise is a file in the run directory, which the hook's process sees as the daemon does, and which ends with this boot, as
// whatever it speaks of does. It ends, too, when the notes have changed, when the other node says that it is through, or
// when it is old: but then only under the pool's lock, since the other's commit may have begun before it was.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';

const Promised = v.object({
  pool: v.string(),
  name: v.string(),
  /** Ids of the disk, and of what is done with it. */
  disk: v.string(),
  claim: v.string(),
  /** The node that it was given to. */
  by: v.string(),
  /** Seconds since this host's boot: a clock that nobody sets, and that all processes share. */
  until: v.number(),
});
export type Promised = v.InferOutput<typeof Promised>;

export interface Promises {
  /** Keeps one for as long as it may take another node to commit; it holds when this returns. */
  give(promised: Omit<Promised, 'until'>): Promise<void>;
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
export function createPromises(runDir: string, now: () => number = uptime): Promises {
  const directory = join(runDir, 'promises');
  const fileOf = ({ disk, claim }: Pick<Promised, 'disk' | 'claim'>) => join(directory, `${disk}.${claim}`);
  const files = async () => (await readdir(directory).catch(() => [])).filter((name) => /^[^.]+\.[^.]+$/.test(name));
  const load = async (names: readonly string[]) => await Promise.all(names.map((name) => read(directory, name)));
  return {
    async give(promised) {
      await mkdir(directory, { recursive: true, mode: 0o755 });
      const path = fileOf(promised);
      await writeFile(`${path}.new`, JSON.stringify({ ...promised, until: now() + KEPT_FOR } satisfies Promised));
      await rename(`${path}.new`, path);
    },
    of: async (disk) => await load((await files()).filter((name) => name.startsWith(`${disk}.`))),
    all: async () => await load(await files()),
    withdraw: async (promised) => await rm(fileOf(promised), { force: true }),
    isOld: ({ until }) => now() > until,
  };
}

/** One that can't be read is still a promise, to somebody, and ends as an old one does. */
async function read(directory: string, file: string): Promise<Promised> {
  const text = await readFile(join(directory, file), 'utf8').catch(() => '');
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Promised), text);
  if (parsed.success) return parsed.output;
  const [disk = '', claim = ''] = file.split('.');
  return { pool: '', name: '', disk, claim, by: 'another node', until: 0 };
}
