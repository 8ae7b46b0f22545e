// The config as everybody needs it: found, run, checked, with every value that holds.
import { pluginsIn } from './builtins.ts';
import { type LoadOptions, loadConfig } from './loader.ts';
import { configError, type Settled, settle } from './settle.ts';

export interface OpenConfig extends Settled {
  /** The file's path, or what the config inside the executable is called. */
  readonly source: string;
}

/** Errors: loadConfig's; `core/config` with every problem of core's options, the environment and all plugins. */
export async function openConfig(options: LoadOptions): Promise<OpenConfig> {
  const { config, path, modules } = await loadConfig(options);
  const source = path ?? 'the built-in config';
  const { env, builtins } = options;
  const known = pluginsIn(modules);
  const result = await settle({ config, isFile: path !== undefined, env, known, own: builtins.own });
  if ('problems' in result) throw configError(result.problems, source);
  return { ...result.settled, source };
}
