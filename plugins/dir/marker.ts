// Whose pool it is: `<directory>/.sltv/pool` names the lock domain that protects it.
import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Node, SltvError, v, writeDurably } from 'sltv';
import { fail, inOurWords, noneIfAbsent } from './errors.ts';
import type { DirPool } from './pool.ts';
import { catalogueOf } from './side-file.ts';

const Marker = v.pipe(v.string(), v.parseJson(), v.object({ format: v.number(), lock: v.string() }));

/** Marks a pool that nobody has marked yet as this host's. */
export async function claimPool(pool: DirPool): Promise<void> {
  const path = pathOf(pool);
  if ((await readFile(path, 'utf8').catch(noneIfAbsent)) !== undefined) return;
  await writeDurably(path, `${JSON.stringify({ format: 1, lock: domainOf(pool.node) }, undefined, 2)}\n`);
}

/**
 * Why nothing may be written to this pool; undefined when it may. Not a lock provider's word: whatever protects other
 * pools, a directory is this host's own, and its lock file is all it takes.
 */
export async function objectionToPool(pool: DirPool): Promise<SltvError | undefined> {
  try {
    await access(pool.directory, constants.W_OK);
    const text = await readFile(pathOf(pool), 'utf8').catch(noneIfAbsent);
    return text === undefined ? undefined : objectionToMarker(pool, text);
  } catch (error) {
    const ours = inOurWords(error, pool.name, pool.directory);
    if (ours instanceof SltvError) return ours;
    throw error;
  }
}

function objectionToMarker(pool: DirPool, text: string): SltvError | undefined {
  const path = pathOf(pool);
  const marker = v.safeParse(Marker, text);
  if (!marker.success) {
    return fail('side-file', `${path} can't be read, so nobody knows whose pool ${pool.name} is`, {
      hint: `if this host alone uses ${pool.directory}: rm ${path}`,
    });
  }
  const { format, lock } = marker.output;
  if (format !== 1) {
    return fail('newer', `pool ${pool.name} is of format ${format}, which this sltv must not change`, {
      hint: 'upgrade sltv on this host',
    });
  }
  if (lock === domainOf(pool.node)) return undefined;
  return fail('other-domain', `pool ${pool.name} (${pool.directory}) belongs to ${lock}, not to this host`, {
    hint: `if this host alone uses it now: rm ${path}`,
  });
}

const pathOf = (pool: DirPool): string => join(catalogueOf(pool), 'pool');
const domainOf = (node: Node): string => `local/${node.machineId}`;
