// What `sltv init` writes: a config to begin with, and what an editor needs to complete and check it without npm.
import { chmod, lstat, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { coreErrors, SltvError } from '../errors.ts';
import { CONFIG_FOLDER, CONFIG_NAMES } from './loader.ts';
import { readTrusted } from './trust.ts';

export interface InitReport {
  readonly files: readonly InitFile[];
  /** What is left to do, in sentences. */
  readonly remarks: readonly string[];
}

interface InitFile {
  readonly path: string;
  readonly now: 'written' | 'renewed' | 'kept';
}

/** Texts by their paths within the folder, as JSON, compressed: what the build makes of deploy/config and the types. */
export const CARRIED = 'init.json.br';
/** The folder of types, which is ours alone; all else belongs to whoever edits it. */
const TYPES = '.types';

/**
 * Prepares a folder; a second time changes nothing but the types. `carried` reads what came with the program. Errors:
 * `core/input` for what is no folder or no types of ours, `core/unsupported` when nothing was carried, `core/denied`.
 */
export async function initFolder(
  given: string | undefined,
  carried: (name: string) => Promise<Uint8Array>,
): Promise<InitReport> {
  const folder = resolve(given ?? CONFIG_FOLDER);
  const texts = await unpack(carried);
  await makeFolder(folder);
  const [configName = '', ...otherNames] = CONFIG_NAMES;
  const config =
    (await firstThere(folder, otherNames)) ?? (await writeOnce(join(folder, configName), texts.get(configName)));
  const tsconfig = await writeOnce(join(folder, 'tsconfig.json'), texts.get('tsconfig.json'));
  const files = [config, tsconfig, await renewTypes(folder, texts)];
  const remarks = [await distrust(config), await blindness(tsconfig), nextStep(config)];
  return { files, remarks: remarks.filter((remark) => remark !== undefined) };
}

async function unpack(carried: (name: string) => Promise<Uint8Array>): Promise<ReadonlyMap<string, string>> {
  let packed: Uint8Array;
  try {
    packed = await carried(CARRIED);
  } catch (cause) {
    throw coreErrors('unsupported', `this sltv has no ${CARRIED} beside it, which has the types`, {
      hint: 'use the single executable, or copy that file from where sltv.mjs came from',
      cause,
    });
  }
  // Our own build wrote it.
  const texts: Record<string, string> = JSON.parse(brotliDecompressSync(packed).toString());
  return new Map(Object.entries(texts));
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o755 });
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST', 'ENOTDIR')) throw cause;
    throw coreErrors('input', `${path} is not a folder`, {
      hint: 'name the folder that the config is to be in',
      cause,
    });
  }
}

/** The config that a person has, under a name that the loader would look for later than ours. */
async function firstThere(folder: string, names: readonly string[]): Promise<InitFile | undefined> {
  for (const name of names) {
    const path = join(folder, name);
    if (await isThere(path)) return { path, now: 'kept' };
  }
  return undefined;
}

async function writeOnce(path: string, text = ''): Promise<InitFile> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o644 });
    return { path, now: 'written' };
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return { path, now: 'kept' };
    throw error;
  }
}

/** Puts a whole new folder into the place of the old one, so that nothing of an earlier version is left in it. */
async function renewTypes(folder: string, texts: ReadonlyMap<string, string>): Promise<InitFile> {
  const path = join(folder, TYPES);
  const isOld = await isThere(path);
  if (isOld && !(await isThere(join(path, 'sltv.d.ts')))) {
    throw coreErrors('input', `${path} is there, and sltv did not write it`, { hint: `move it away: mv ${path} …` });
  }
  const fresh = await mkdtemp(`${path}-`);
  try {
    for (const [name, text] of texts) {
      if (!name.startsWith(`${TYPES}/`)) continue;
      const file = join(fresh, name.slice(TYPES.length + 1));
      await mkdir(dirname(file), { recursive: true, mode: 0o755 });
      await writeFile(file, text, { flag: 'wx', mode: 0o644 });
    }
    await chmod(fresh, 0o755);
    await rm(path, { recursive: true, force: true });
    await rename(fresh, path);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return { path, now: isOld ? 'renewed' : 'written' };
}

/** Why the daemon will not read the config where it stands. */
async function distrust({ path }: InitFile): Promise<string | undefined> {
  try {
    readTrusted(path);
    return undefined;
  } catch (error) {
    if (error instanceof SltvError) return `the daemon will not read it: ${error.message} (${error.hint})`;
    throw error;
  }
}

/** Why an editor will not find the types. */
async function blindness({ path, now }: InitFile): Promise<string | undefined> {
  if (now !== 'kept' || (await readFile(path, 'utf8')).includes(`${TYPES}/`)) return undefined;
  return `for an editor to check the config, say in ${path}: "extends": "./${TYPES}/tsconfig.json"`;
}

function nextStep({ path, now }: InitFile): string | undefined {
  if (now === 'kept') return undefined;
  const which = dirname(path) === CONFIG_FOLDER ? '' : ` --config ${path}`;
  return `make it yours, then: sltv config check${which}`;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));
