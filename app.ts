// Core with the plugins and the config that the executable brings along.
import { main } from './core/main.ts';
import { defaultConfig, modules } from './plugins/builtin.ts';

export const start = (argv: readonly string[], version: string): Promise<void> =>
  main(argv, { version, modules, defaultConfig });
