// The catalogue: `<directory>/.sltv/<name>.json`, one for each volume that sltv made. docs/on-disk-format.md has its format.
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Notes, syncDirectory, v, writeDurably } from 'sltv';
import { fail, noneIfAbsent } from './errors.ts';
import type { DirPool } from './pool.ts';

const Bytes = v.pipe(v.string(), v.regex(/^\d+$/, 'bytes, in digits'), v.toBigint());
const Time = v.pipe(v.string(), v.isoTimestamp(), v.toDate());

// Loose: what a later version adds is kept.
const SideFile = v.looseObject({
  format: v.literal(1),
  notes: v.record(v.string(), v.array(v.string())),
  /** What a file that grows by itself has been promised, bytes; without it the file's own size is the volume's. */
  size: v.optional(Bytes),
  createdAt: v.optional(Time),
  createdOn: v.optional(v.string()),
});
export interface SideFile {
  readonly notes: Notes;
  readonly size?: bigint | undefined;
  readonly createdAt?: Date | undefined;
  readonly createdOn?: string | undefined;
}

/** Where a pool's side files, its marker and its lock are. */
export const catalogueOf = (pool: DirPool): string => join(pool.directory, '.sltv');

const EXTENSION = '.json';
const pathOf = (pool: DirPool, name: string): string => join(catalogueOf(pool), `${name}${EXTENSION}`);

/** The names that have a side file. */
export async function listSideFiles(pool: DirPool): Promise<readonly string[]> {
  const files = await readdir(catalogueOf(pool)).catch(noneIfAbsent);
  return (files ?? []).filter((file) => file.endsWith(EXTENSION)).map((file) => file.slice(0, -EXTENSION.length));
}

/** A volume's side file; undefined when it has none. Errors: `dir/newer`, `dir/side-file` for one that can't be read. */
export async function readSideFile(pool: DirPool, name: string): Promise<SideFile | undefined> {
  const path = pathOf(pool, name);
  const text = await readFile(path, 'utf8').catch(noneIfAbsent);
  if (text === undefined) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), SideFile), text);
  if (parsed.success) return parsed.output;
  throw formatOf(text) > 1
    ? fail('newer', `${path} was written by a newer sltv, which this one must not change`, {
        hint: 'upgrade sltv on this host',
      })
    : fail('side-file', `${path} can't be read: ${v.summarize(parsed.issues).replaceAll('\n', ' ')}`, {
        hint: `mend ${path} by hand, or restore it from a backup`,
      });
}

/** Commits a volume's notes; after a power cut they are the old or the new, whole. */
export async function writeSideFile(pool: DirPool, name: string, { notes, ...rest }: SideFile): Promise<void> {
  const content = { format: 1, ...rest, size: rest.size?.toString(), notes };
  await writeDurably(pathOf(pool, name), `${JSON.stringify(content, undefined, 2)}\n`);
}

export async function removeSideFile(pool: DirPool, name: string): Promise<void> {
  await rm(pathOf(pool, name), { force: true });
  await syncDirectory(catalogueOf(pool));
}

function formatOf(text: string): number {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), v.object({ format: v.number() })), text);
  return parsed.success ? parsed.output.format : 0;
}
