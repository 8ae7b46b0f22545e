// The tables of docs/configuration.md, from the options' own schemas: `node plugins/options-page.ts` writes them anew. A test
// compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CoreOptions } from '../core/kernel/config.ts';
import { type AnyDefinition, definitionOf } from '../core/kernel/definition.ts';
import { type OptionRow, optionRows } from '../core/kernel/option-rows.ts';
import { modules } from './builtin.ts';

const PAGE = join(import.meta.dirname, '../docs/configuration.md');

/** The page with its tables as the schemas have them: each stands between two comments that name it. */
export async function optionsPage(page: string): Promise<string> {
  const tables = { core: coreTable(), plugins: (await definitions()).map(section).join('\n\n') };
  return Object.entries(tables).reduce((text, [name, table]) => {
    const place = new RegExp(`(<!-- options of ${name}\\b[^>]*-->\n)[\\s\\S]*?(<!-- end of options -->)`);
    if (!place.test(text)) throw new Error(`docs/configuration.md has no place for the options of ${name}`);
    return text.replace(place, (_, begin: string, end: string) => `${begin}\n${table}\n\n${end}`);
  }, page);
}

/** Every plugin inside the executable. */
export async function definitions(): Promise<readonly AnyDefinition[]> {
  const loaded = await Promise.all(Object.values(modules).map((load) => load()));
  return loaded.flatMap((module) => {
    const factory: unknown = Reflect.get(module, 'default');
    const definition = typeof factory === 'function' ? definitionOf(factory()) : 'no plugin';
    return typeof definition === 'string' ? [] : [definition];
  });
}

const PLUGINS: OptionRow = {
  option: 'plugins',
  takes: 'a list',
  default: 'those of the built-in config',
  about: 'what the daemon is made of; storages in the order in which their pools are looked for',
  see: '#plugins',
};

const coreTable = () => table([...optionRows(CoreOptions), PLUGINS]);

function section({ name, options, env = {} }: AnyDefinition): string {
  const rows = options === undefined ? [] : optionRows(options);
  const variables = Object.keys(env).map((variable) => `\`${variable}\``);
  return [
    `### ${name}`,
    `[Its page](../plugins/${name}/README.md).${variables.length === 0 ? '' : ` Environment: ${variables.join(', ')}.`}`,
    rows.length === 0 ? 'It has no options.' : table(rows),
  ].join('\n\n');
}

function table(rows: readonly OptionRow[]): string {
  const lines = rows.map(
    ({ option, takes, default: holds, about = '', see }) =>
      `| ${[`\`${option}\``, takes, holds, `${about}${pointer(see)}`].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
  return ['| option | takes | default | means |', '|---|---|---|---|', ...lines].join('\n');
}

function pointer(see: string | undefined): string {
  if (see === undefined) return '';
  return ` ([${see.startsWith('#') ? 'below' : basename(see).replace(/#.*/, '')}](${see}))`;
}

if (import.meta.main) writeFileSync(PAGE, await optionsPage(readFileSync(PAGE, 'utf8')));
