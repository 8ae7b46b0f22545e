// Finds the config, runs it, and holds what its `export default` is.

import { existsSync, lstatSync } from 'node:fs';
import module from 'node:module';
import { join, resolve } from 'node:path';
import { coreErrors } from '../errors.ts';
import { type Builtins, loadModules } from './builtins.ts';
import { DEFAULT_STATE_DIR } from './config.ts';
import { importConfig } from './config-modules.ts';
import type { Environment } from './environment.ts';
import { isTrustedFolder } from './trust.ts';

export interface LoadOptions {
  /** What `--config` said. */
  readonly path?: string | undefined;
  readonly env: Environment;
  readonly builtins: Builtins;
  /** Takes the config inside the executable, whatever files there are. */
  readonly isDefault?: boolean | undefined;
  /** Where a config is looked for when nothing else names one. */
  readonly folder?: string;
}

export interface LoadedConfig {
  /** What was exported; still to be checked. */
  readonly config: unknown;
  /** The file; undefined for the config inside the executable. */
  readonly path: string | undefined;
  readonly modules: ReadonlyMap<string, object>;
}

/** Where a config is looked for, and the names that it may have, the first one first. */
export const CONFIG_FOLDER = '/etc/sltv';
export const CONFIG_NAMES: readonly string[] = ['sltv.config.ts', 'sltv.config.mjs', 'sltv.config.js'];

/** Errors: `core/config` with file and line, `core/config-missing` for a path that was given, `core/config-untrusted`. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { builtins, env } = options;
  const modules = await loadModules(builtins);
  const path = options.isDefault ? undefined : findConfig(options);
  if (path === undefined) return { config: await builtins.defaultConfig(), path, modules };
  useCompileCache(env);
  const namespace = await importConfig(path, modules);
  return { config: configIn(namespace, path), path, modules };
}

/** `--config`, else SLTV_CONFIG, else what stands in /etc/sltv; never the current directory. Undefined: none. */
function findConfig({ path, env, folder = CONFIG_FOLDER }: LoadOptions): string | undefined {
  const given = path ?? (env.SLTV_CONFIG || undefined);
  if (given !== undefined) return resolve(given);
  return CONFIG_NAMES.map((name) => join(folder, name)).find((candidate) => {
    try {
      return lstatSync(candidate) !== undefined;
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
        return false;
      throw coreErrors('denied', `${candidate} can't be reached by this user`, { hint: 'run it as root', cause });
    }
  });
}

/** Saves most of the time that a TypeScript config takes to load; only where nobody else can put code into the cache. */
function useCompileCache(env: Environment): void {
  const folder = env.SLTV_STATE_DIR || DEFAULT_STATE_DIR;
  const cache = join(folder, 'cache');
  if (isTrustedFolder(existsSync(cache) ? cache : folder)) module.enableCompileCache?.(cache);
}

function configIn(namespace: Readonly<Record<string, unknown>>, path: string): unknown {
  const hint = 'export default defineConfig({ plugins: [lvm(), libvirt(), localLock()] })';
  const config = namespace.default;
  if (config === undefined) throw coreErrors('config', `${path}: it has no default export`, { hint });
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config;
  const what = Array.isArray(config) ? 'a list' : config === null ? 'null' : `a ${typeof config}`;
  throw coreErrors('config', `${path}: its default export is ${what}, not a config`, { hint });
}
