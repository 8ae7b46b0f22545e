// What the executable does in its own process, without a daemon or as one: core's verbs for it, with the plugins and the config
// that it brings along. Most of the program, and never loaded by a verb that only asks a daemon.
import type { Local } from './core/cli/index.ts';
import { localVerbs, type Process } from './core/local.ts';
import { defaultConfig, modules } from './plugins/builtin.ts';

export const local = (version: string, process: Process): Local =>
  localVerbs({ version, modules, defaultConfig }, process);
