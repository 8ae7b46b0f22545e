// From what the config file says to what holds: environment above file above defaults, everything checked at once.
import { type GenericSchema, safeParse } from 'valibot';
import { coreErrors, type SltvError } from '../errors.ts';
import { CoreOptions } from './config.ts';
import { type AnyDefinition, definitionOf, isRecord, type SettledPlugin } from './definition.ts';
import { type Environment, type Overridden, overrideCore, overridePlugin, strangers } from './environment.ts';
import { misfits } from './order.ts';
import type { Plugin } from './plugin.ts';
import { flawOf, keysAt, type Path, pathText } from './schema.ts';

/** What a config amounts to. */
export interface Settled {
  readonly options: CoreOptions;
  /** Core's own first, then the config's in its order. */
  readonly plugins: readonly SettledPlugin[];
  readonly settings: readonly Setting[];
}

/** One value that holds, and where it came from: `default`, `file`, or the variable's name. */
export interface Setting {
  readonly path: string;
  readonly value: unknown;
  readonly from: 'default' | 'file' | `SLTV_${string}`;
}

/** What `export default` was, and what it is judged with. */
export interface Unsettled {
  readonly config: unknown;
  /** Whether it is a file's: values of the built-in config count as defaults. */
  readonly isFile: boolean;
  readonly env: Environment;
  /** Plugins that could be added, by the words that a config would use: for remedies. */
  readonly known: ReadonlyMap<string, AnyDefinition>;
  /** Core's own plugins, which stand in front of the config's. */
  readonly own: (options: CoreOptions) => Promise<readonly Plugin[]>;
}

/** Checks everything at once; either what holds, or every problem in a sentence of its own. */
export async function settle(from: Unsettled): Promise<{ settled: Settled } | { problems: readonly string[] }> {
  const { plugins: listed, ...given } = isRecord(from.config) ? from.config : { plugins: undefined };
  const core = checkCore(given, from);
  const items: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const shape = Array.isArray(listed) ? [] : ['plugins: expected a list of plugins, such as [lvm(), libvirt()]'];
  const plugins = items.map((item, index) => checkPlugin(item, index, from));
  const definitions = plugins.flatMap(({ definition }) => definition ?? []);

  // Only the options of core's own plugins depend on the config, not what they provide: the defaults show that.
  const own = (await from.own(core.output ?? DEFAULTS)).map((plugin) => checkPlugin(plugin, 0, from));
  const ownDefinitions = own.flatMap(({ definition }) => definition ?? []);
  const problems = [
    ...shape,
    ...core.problems,
    ...plugins.flatMap((plugin) => plugin.problems),
    ...own.flatMap((plugin) => plugin.problems),
    ...(shape.length > 0 ? [] : strangers(from.env, definitions, from.known)),
    ...(shape.length > 0 ? [] : misfits([...ownDefinitions, ...definitions], from.known)),
  ];
  if (problems.length > 0 || core.output === undefined) return { problems };
  return {
    settled: {
      options: core.output,
      plugins: [...own, ...plugins].flatMap(({ definition, output }) =>
        definition === undefined ? [] : [{ definition, options: output }],
      ),
      settings: [...core.settings, ...plugins.flatMap((plugin) => plugin.settings)],
    },
  };
}

/** One sentence stays as it is; several are counted and listed. `source`: the file's path. */
export function configError(problems: readonly string[], source: string): SltvError {
  const [only, ...more] = problems;
  if (only !== undefined && more.length === 0) return coreErrors('config', `${source}: ${only}`);
  return coreErrors('config', `${source} has ${problems.length} problems:\n${problems.map((line) => `  ${line}`).join('\n')}`, {
    hint: 'sltv config check',
  });
}

const DEFAULTS: CoreOptions = { ...parsed(CoreOptions, {}) };

interface Checked {
  readonly problems: readonly string[];
  readonly settings: readonly Setting[];
}

function checkCore(given: object, from: Unsettled): Checked & { output: CoreOptions | undefined } {
  const overridden = overrideCore(given, from.env);
  const result = safeParse(CoreOptions, overridden.value);
  const problems = (result.issues ?? []).map((issue) => {
    const { path, message } = flawOf(issue, CoreOptions, ['plugins']);
    return `${pathText(path)}: ${message}${suspect(path, overridden)}`;
  });
  if (!result.success) return { problems, settings: [], output: undefined };
  const settings = settingsOf(CoreOptions, result.output, (path) => originOf(path, given, overridden, from));
  return { problems, settings, output: result.output };
}

function checkPlugin(
  item: unknown,
  index: number,
  from: Unsettled,
): Checked & { definition: AnyDefinition | undefined; output: unknown } {
  const definition = definitionOf(item);
  if (typeof definition === 'string') {
    return { problems: [`plugins[${index}]: ${definition}`], settings: [], definition: undefined, output: undefined };
  }
  const { name, options: schema } = definition;
  const given = isRecord(item) ? item['given'] : undefined;
  const overridden = overridePlugin(definition, given, from.env);
  if (schema === undefined) {
    const some = isRecord(given) ? Object.keys(given) : [];
    const problems = some.map((key) => `${name}.${key}: is not an option: plugin ${name} has none`);
    return { problems, settings: [], definition, output: {} };
  }
  const result = safeParse(schema, overridden.value);
  const problems = (result.issues ?? []).map((issue) => {
    const { path, message } = flawOf(issue, schema);
    return `${[name, pathText(path)].filter(Boolean).join('.')}: ${message}${suspect(path, overridden)}`;
  });
  const settings = settingsOf(schema, result.output, (path) => originOf(path, given, overridden, from));
  return {
    problems: [...overridden.problems, ...problems],
    settings: settings.map((setting) => ({ ...setting, path: `${name}.${setting.path}` })),
    definition,
    output: result.output,
  };
}

/** Which variable a flaw is to be blamed on, if any. */
function suspect(path: Path, { setBy }: Overridden): string {
  const name = variableFor(path, setBy);
  return name === undefined ? '' : ` (set by ${name})`;
}

function originOf(path: Path, given: unknown, { setBy }: Overridden, { isFile }: Unsettled): Setting['from'] {
  const variable = variableFor(path, setBy);
  // Only `SLTV_` names are ever looked up as variables: see CORE and the contract's type of `env`.
  if (variable !== undefined) return variable as `SLTV_${string}`;
  return isFile && isGiven(given, path) ? 'file' : 'default';
}

function variableFor(path: Path, setBy: ReadonlyMap<string, string>): string | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const name = setBy.get(pathText(path.slice(0, length)));
    if (name !== undefined) return name;
  }
  return undefined;
}

/** Whether the file says something at this path, or a word above it that stands for more than itself. */
function isGiven(given: unknown, [key, ...rest]: Path): boolean {
  if (given === undefined) return false;
  if (key === undefined || !isRecord(given)) return true;
  return isGiven(given[String(key)], rest);
}

/** All values, each by its path; a key that has none yet is there with undefined. */
function settingsOf(schema: GenericSchema, output: unknown, from: (path: Path) => Setting['from']): readonly Setting[] {
  const walk = (value: unknown, path: Path): readonly Setting[] => {
    if (Array.isArray(value) && value.length > 0) return value.flatMap((item, index) => walk(item, [...path, index]));
    if (isPlainObject(value)) {
      const keys = new Set([...keysAt(schema, path), ...Object.keys(value)]);
      if (keys.size > 0) return [...keys].flatMap((key) => walk(value[key], [...path, key]));
    }
    return [{ path: pathText(path), value, from: from(path) }];
  };
  return isPlainObject(output) ? walk(output, []).filter(({ path }) => path !== '') : [];
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && !Array.isArray(value) && Object.getPrototypeOf(value) === Object.prototype;
}
