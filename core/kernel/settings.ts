// Which values hold, and where each came from: what `sltv config show` prints.
import type { GenericSchema } from 'valibot';
import { isRecord } from './definition.ts';
import type { Overridden } from './environment.ts';
import { aboutAt, keysAt, type Path, pathText } from './schema.ts';

/** One value that holds, and where it came from: `default`, `file`, or the name of a variable. */
export interface Setting {
  /** `listen[0].unix`, `lvm.vgs[0]`. */
  readonly path: string;
  /** Undefined where nothing is set. */
  readonly value: unknown;
  readonly from: string;
  /** What it means; undefined where its plugin does not say. */
  readonly about: string | undefined;
}

/** All values by path. `output` is what the schema made of `given`, which a file said, or the built-in config. */
export function settingsOf(
  schema: GenericSchema,
  output: unknown,
  given: unknown,
  { setBy, isFile }: { readonly setBy: Overridden['setBy']; readonly isFile: boolean },
): readonly Setting[] {
  const from = (path: Path): string =>
    variableFor(path, setBy) ?? (isFile && isGiven(given, path) ? 'file' : 'default');
  const walk = (value: unknown, path: Path): readonly Setting[] => {
    if (Array.isArray(value) && value.length > 0) return value.flatMap((item, index) => walk(item, [...path, index]));
    if (isPlainObject(value)) {
      const keys = new Set([...keysAt(schema, path, output), ...Object.keys(value)]);
      if (keys.size > 0) return [...keys].flatMap((key) => walk(value[key], [...path, key]));
    }
    return path.length === 0
      ? []
      : [{ path: pathText(path), value, from: from(path), about: aboutAt(schema, path, output) }];
  };
  return walk(output, []);
}

/** The variable that set an option, or something above it. */
export function variableFor(path: Path, setBy: Overridden['setBy']): string | undefined {
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

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && !Array.isArray(value) && Object.getPrototypeOf(value) === Object.prototype;
}
