// On whose behalf code runs: what a plugin leaves behind, a rejection or a timer that throws, is told by its name.
import { AsyncLocalStorage } from 'node:async_hooks';

export interface Behalf {
  /** Runs `work`, and all that it begins and does not wait for, on behalf of a plugin. */
  run<T>(plugin: string, work: () => T): T;
  /** The plugin on whose behalf the present step runs; undefined for core's own. */
  current(): string | undefined;
}

export function createBehalf(): Behalf {
  const plugins = new AsyncLocalStorage<string>();
  return {
    run: (plugin, work) => plugins.run(plugin, work),
    current: () => plugins.getStore(),
  };
}
