// In which order plugins are set up, and everything that keeps a set of plugins from being one.
import type { Capabilities, Capability } from './capability.ts';
import { type AnyDefinition, CONTRACT } from './definition.ts';
import { flawOfVerb } from './verb-shape.ts';

/** Providers before users, else in the given order. The plugins fit together: `misfits` had nothing to say. */
export function order(plugins: readonly AnyDefinition[]): readonly AnyDefinition[] {
  const done = new Set<AnyDefinition>();
  const visit = (plugin: AnyDefinition): void => {
    if (done.has(plugin)) return;
    for (const provider of providersFor(plugin, plugins)) visit(provider);
    done.add(plugin);
  };
  for (const plugin of plugins) visit(plugin);
  return [...done];
}

/** The providers of these capabilities, with all that they cannot be without, in the given order. */
export function restrict(
  plugins: readonly AnyDefinition[],
  only: readonly Capability<unknown>[],
): readonly AnyDefinition[] {
  const wanted = new Set<AnyDefinition>();
  const want = (capability: Capability<unknown>): void => {
    for (const plugin of providersOf(capability, plugins)) {
      if (wanted.has(plugin)) continue;
      wanted.add(plugin);
      for (const required of listOf(plugin.requires)) want(required);
    }
  };
  for (const capability of only) want(capability);
  return plugins.filter((plugin) => wanted.has(plugin));
}

/**
 * Why these plugins can't run together: one sentence each, with plugin and remedy. `known` are plugins that could be
 * added, by the words that a config would use: `localLock()`.
 */
export function misfits(
  plugins: readonly AnyDefinition[],
  known: ReadonlyMap<string, AnyDefinition> = new Map(),
): readonly string[] {
  const alone = plugins.flatMap(faults);
  const names = plugins.map((plugin) => plugin.name);
  const twice = names.filter((name, index) => names.indexOf(name) < index);
  const listedTwice = [...new Set(twice)].map(
    (name) => `plugin ${name} is listed twice: give one of them all the options`,
  );
  if (listedTwice.length > 0) return [...alone, ...listedTwice];
  return [...alone, ...rivals(plugins), ...gaps(plugins, known), ...circles(plugins)];
}

/** What is wrong with one plugin, whatever stands beside it. */
function faults(plugin: AnyDefinition): readonly string[] {
  const { name, api } = plugin;
  const found: string[] = [];
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    found.push(`plugin '${name}': a plugin's name is made of lower-case letters, digits and dashes`);
  }
  if (api !== CONTRACT) {
    found.push(
      `plugin ${name} was made for version ${api} of the plugin contract, this sltv keeps version ${CONTRACT}: ` +
        `take a version of ${name} that was made for it`,
    );
  }
  for (const [words, verb] of Object.entries(plugin.verbs ?? {})) {
    if (!words.startsWith(`${name} `) || !/^[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)+$/.test(words)) {
      found.push(`plugin ${name}: its verb '${words}' must begin with its own name, as in '${name} show'`);
    }
    const flaw = flawOfVerb(verb);
    if (flaw !== undefined) found.push(`plugin ${name}: its verb '${words}' is not declared as one: ${flaw}`);
  }
  return found;
}

function rivals(plugins: readonly AnyDefinition[]): readonly string[] {
  const single = unique(plugins.flatMap((plugin) => listOf(plugin.provides))).filter(({ arity }) => arity === 'one');
  return single.flatMap((capability) => {
    const names = providersOf(capability, plugins).map((plugin) => plugin.name);
    return names.length > 1 ? [`plugins ${names.join(' and ')} both provide ${capability.id}: keep one of them`] : [];
  });
}

function gaps(plugins: readonly AnyDefinition[], known: ReadonlyMap<string, AnyDefinition>): readonly string[] {
  return plugins.flatMap((plugin) =>
    listOf(plugin.requires)
      .filter((capability) => providersOf(capability, plugins).length === 0)
      .map((capability) => {
        const remedies = [...known].filter(([, { provides }]) =>
          listOf(provides).some(({ id }) => id === capability.id),
        );
        const remedy =
          remedies.length > 0
            ? `add ${remedies.map(([words]) => words).join(' or ')} to plugins`
            : `add a plugin that does, or take ${plugin.name} out`;
        return `plugin ${plugin.name} requires ${capability.id}, which no plugin in the config provides: ${remedy}`;
      }),
  );
}

function circles(plugins: readonly AnyDefinition[]): readonly string[] {
  const settled = new Set<AnyDefinition>();
  const found: string[] = [];
  const visit = (plugin: AnyDefinition, path: readonly AnyDefinition[]): void => {
    if (settled.has(plugin)) return;
    const begin = path.indexOf(plugin);
    if (begin >= 0) {
      const names = [...path.slice(begin), plugin].map(({ name }) => name);
      found.push(`plugins wait for each other: ${names.join(' → ')}; take one of them out`);
      return;
    }
    for (const provider of providersFor(plugin, plugins)) visit(provider, [...path, plugin]);
    settled.add(plugin);
  };
  for (const plugin of plugins) visit(plugin, []);
  return found;
}

/** The plugins that have to be set up before this one. */
function providersFor(plugin: AnyDefinition, plugins: readonly AnyDefinition[]): readonly AnyDefinition[] {
  return [...listOf(plugin.requires), ...listOf(plugin.accepts)]
    .flatMap((capability) => providersOf(capability, plugins))
    .filter((provider) => provider !== plugin);
}

function providersOf({ id }: Capability<unknown>, plugins: readonly AnyDefinition[]): readonly AnyDefinition[] {
  return plugins.filter((plugin) => listOf(plugin.provides).some((capability) => capability.id === id));
}

const listOf = (capabilities: Capabilities | undefined): readonly Capability<unknown>[] =>
  Object.values(capabilities ?? {});

function unique(capabilities: readonly Capability<unknown>[]): readonly Capability<unknown>[] {
  return [...new Map(capabilities.map((capability) => [capability.id, capability])).values()];
}
