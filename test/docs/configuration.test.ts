// docs/configuration.md has every option and every variable that there is, and none that there isn't.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { GenericSchema } from 'valibot';
import { CoreOptions } from '../../core/kernel/config.ts';
import { definitionOf } from '../../core/kernel/definition.ts';
import { keysAt, type Path } from '../../core/kernel/schema.ts';
import { modules } from '../../plugins/builtin.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
const section = (title: string) => PAGE.split('\n## ').find((text) => text.startsWith(title)) ?? '';
const cells = (title: string) =>
  section(title)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => [...line.matchAll(/\| (?:`([^`]*)`|[^|]*)(?= \|)/g)].map(([, cell = '']) => cell));

/** Every option, `listen[].unix`; of what has parts, the parts. */
function options(schema: GenericSchema, path: Path = []): readonly string[] {
  return keysAt(schema, path).flatMap((key) => {
    const here = [...path, key];
    const inside = options(schema, here).length > 0 ? options(schema, here) : options(schema, [...here, 0]);
    const name = here
      .map((step) => (step === 0 ? '[]' : `.${step}`))
      .join('')
      .slice(1);
    return inside.length > 0 ? inside : [name];
  });
}

async function definitions() {
  const factories = await Promise.all(Object.values(modules).map((load) => load()));
  return factories.flatMap((module) => {
    const factory: unknown = Reflect.get(module, 'default');
    const definition = typeof factory === 'function' ? definitionOf(factory()) : 'no plugin';
    return typeof definition === 'string' ? [] : [definition];
  });
}

test("every option of core's has its line", () => {
  const written = cells('Core').map(([option]) => option);
  assert.equal(written.toSorted(), [...options(CoreOptions), 'listen', 'plugins'].toSorted());
});

test('every option of every plugin inside the executable has its line', async () => {
  const declared = (await definitions()).flatMap(({ name, options: schema }) => {
    const names = schema ? options(schema) : [];
    return names.length > 0 ? names.map((option) => `${name} ${option}`) : [`${name} `];
  });
  const written = cells('Plugins').map(([name, option]) => `${name} ${option}`);
  assert.equal(written.toSorted(), declared.toSorted());
});

test('every variable that sets something has its line, and every line is read somewhere', async () => {
  const plugins = (await definitions()).flatMap(({ env = {} }) => Object.keys(env));
  const code = ['core/kernel/environment.ts', 'core/kernel/loader.ts', 'core/cli/globals.ts'];
  const texts = code.map((file) => readFileSync(join(ROOT, file), 'utf8'));
  const written = cells('Environment').map(([variable = '']) => variable);
  const settings = [...(texts[0] ?? '').matchAll(/^ {2}(SLTV_\w+): \{/gm)].map(([, name = '']) => name);
  assert.ok(settings.length > 3, "core's own were found");
  assert.equal(
    [...settings, ...plugins].filter((name) => !written.includes(name)),
    [],
  );
  assert.equal(
    written.filter((name) => !plugins.includes(name) && !texts.some((text) => text.includes(name))),
    [],
  );
});

test.run();
