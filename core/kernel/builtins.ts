// What the executable brings along: the plugins and the config inside it. core/main.ts puts it together.
import type { CoreOptions } from './config.ts';
import { type AnyDefinition, definitionOf } from './definition.ts';
import type { Plugin } from './plugin.ts';

export interface Builtins {
  readonly version: string;
  /** By what a config imports (`sltv`, `sltv/lvm`); each is loaded when a config is. */
  readonly modules: Readonly<Record<string, () => Promise<object>>>;
  /** The config that serves where there is no file. */
  readonly defaultConfig: () => Promise<unknown>;
  /** Core's own plugins, which stand in front of every config's. */
  readonly own: (options: CoreOptions) => Promise<readonly Plugin[]>;
}

/** Loads all modules that a config may import, by their names. */
export async function loadModules({ modules }: Builtins): Promise<ReadonlyMap<string, object>> {
  return new Map(await Promise.all(Object.entries(modules).map(async ([name, load]) => [name, await load()] as const)));
}

/** The plugins among these modules, by the words that a config would use: `localLock()`. For remedies. */
export function pluginsIn(modules: ReadonlyMap<string, object>): ReadonlyMap<string, AnyDefinition> {
  const found = new Map<string, AnyDefinition>();
  for (const [name, namespace] of modules) {
    const factory: unknown = Reflect.get(namespace, 'default');
    if (typeof factory !== 'function') continue;
    const definition = definitionOf(factory());
    if (typeof definition !== 'string') found.set(`${camelCase(name.slice(name.indexOf('/') + 1))}()`, definition);
  }
  return found;
}

const camelCase = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
