// From what the config says to what holds: environment above file above defaults, everything checked at once.
import { type GenericSchema, parse, safeParse } from 'valibot';
import { coreErrors, type SltvError } from '../errors.ts';
import { CoreOptions } from './config.ts';
import { type AnyDefinition, definitionOf, isRecord, type SettledPlugin } from './definition.ts';
import { type Environment, type Overridden, overrideCore, overridePlugin, strangers } from './environment.ts';
import { misfits } from './order.ts';
import type { Plugin } from './plugin.ts';
import { flawsOf, pathText } from './schema.ts';
import { type Setting, settingsOf, variableFor } from './settings.ts';

/** What `export default` was, and what it is judged with. */
export interface Unsettled {
  readonly config: unknown;
  /** Whether a file said it; values of the built-in config count as defaults. */
  readonly isFile: boolean;
  readonly env: Environment;
  /** Plugins that could be added, by the words that a config would use (`localLock()`): for remedies. */
  readonly known: ReadonlyMap<string, AnyDefinition>;
  /** Core's own plugins, which stand in front of the config's. */
  readonly own: (options: CoreOptions) => Promise<readonly Plugin[]>;
}

/** What a config amounts to. */
export interface Settled {
  readonly options: CoreOptions;
  /** Core's own first, then the config's in its order. */
  readonly plugins: readonly SettledPlugin[];
  readonly settings: readonly Setting[];
}

/** Checks everything at once: either what holds, or every problem in a sentence of its own. */
export async function settle(from: Unsettled): Promise<{ settled: Settled } | { problems: readonly string[] }> {
  const { plugins: listed, ...given } = isRecord(from.config) ? from.config : { plugins: undefined };
  if (!Array.isArray(listed)) {
    const problem = 'plugins: expected a list of plugins, such as [lvm(), libvirt(), localLock()]';
    return { problems: [problem, ...checkCore(given, from).problems] };
  }
  const core = checkCore(given, from);
  // What core's own plugins provide does not depend on their options, so that the defaults serve where those are wrong.
  const own = (await from.own(core.options ?? parse(CoreOptions, {}))).map((plugin, index) =>
    checkPlugin(plugin, index, from),
  );
  // A comma too many leaves a hole, which `map` would pass over.
  const plugins = [...listed].map((item: unknown, index) => checkPlugin(item, index, from));
  const all = [...own, ...plugins].flatMap(({ plugin }) => plugin ?? []);
  const definitions = all.map(({ definition }) => definition);
  const problems = [
    ...core.problems,
    ...[...own, ...plugins].flatMap((plugin) => plugin.problems),
    ...strangers(from.env, definitions, from.known),
    ...misfits(definitions, from.known),
  ];
  if (problems.length > 0 || core.options === undefined) return { problems };
  const settings = [...core.settings, ...plugins.flatMap((plugin) => plugin.settings)];
  return { settled: { options: core.options, plugins: all, settings } };
}

/** One problem stays a sentence; several are counted and listed. `source`: the file's path, or what else it is called. */
export function configError(problems: readonly string[], source: string): SltvError {
  const [only, ...more] = problems;
  const message =
    only !== undefined && more.length === 0
      ? `${source}: ${only}`
      : `${source} has ${problems.length} problems\n${problems.map((line) => `  ${line}`).join('\n')}`;
  const which = source.startsWith('/') ? ` --config ${source}` : '';
  return coreErrors('config', message, { hint: `put it right, then: sltv config check${which}` });
}

interface Checked {
  readonly problems: readonly string[];
  readonly settings: readonly Setting[];
}

function checkCore(given: object, from: Unsettled): Checked & { options?: CoreOptions } {
  const overridden = overrideCore(given, from.env);
  const result = safeParse(CoreOptions, overridden.value);
  const problems = [
    ...overridden.problems,
    ...sentences(result.issues ?? [], CoreOptions, '', overridden, ['plugins']),
  ];
  if (!result.success) return { problems, settings: [] };
  const settings = settingsOf(CoreOptions, result.output, given, { ...overridden, ...from });
  return { problems, settings, options: result.output };
}

function checkPlugin(item: unknown, index: number, from: Unsettled): Checked & { plugin?: SettledPlugin } {
  const definition = definitionOf(item);
  if (typeof definition === 'string') return { problems: [`plugins[${index}]: ${definition}`], settings: [] };
  const { name, options: schema } = definition;
  const given = isRecord(item) ? item.given : undefined;
  if (schema === undefined) {
    const problems = Object.keys(isRecord(given) ? given : {}).map(
      (key) => `${name}.${key}: plugin ${name} has no options`,
    );
    return { problems, settings: [], plugin: { definition, options: {} } };
  }
  const overridden = overridePlugin(definition, given, from.env);
  const result = safeParse(schema, overridden.value);
  const settings = result.success ? settingsOf(schema, result.output, given, { ...overridden, ...from }) : [];
  return {
    problems: [...overridden.problems, ...sentences(result.issues ?? [], schema, name, overridden)],
    settings: settings.map((setting) => ({ ...setting, path: `${name}.${setting.path}` })),
    plugin: { definition, options: result.output },
  };
}

/** `lvm.vgs[0]: expected string, got 5 (set by SLTV_DEFAULT_VG)` */
function sentences(
  issues: readonly Parameters<typeof flawsOf>[0][],
  schema: GenericSchema,
  owner: string,
  { setBy }: Overridden,
  extraKeys: readonly string[] = [],
): readonly string[] {
  const flaws = issues.flatMap((issue) => flawsOf(issue, schema, extraKeys));
  return flaws.map(({ path, message }) => {
    const variable = variableFor(path, setBy);
    const where = [owner, pathText(path)].filter(Boolean).join('.');
    return `${where || 'the config'}: ${message}${variable === undefined ? '' : ` (set by ${variable})`}`;
  });
}
