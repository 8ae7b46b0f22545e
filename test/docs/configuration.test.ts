// docs/configuration.md has every option and every variable that there is, and none that there isn't.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CoreOptions } from '../../core/kernel/config.ts';
import { optionRows } from '../../core/kernel/option-rows.ts';
import { definitions, optionsPage } from '../../plugins/options-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
const section = (title: string) => PAGE.split('\n## ').find((text) => text.startsWith(title)) ?? '';
const cells = (title: string) =>
  section(title)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => [...line.matchAll(/\| (?:`([^`]*)`|[^|]*)(?= \|)/g)].map(([, cell = '']) => cell));

test('the tables are what the schemas say: node plugins/options-page.ts writes them', async () => {
  assert.is(await optionsPage(PAGE), PAGE);
});

test('every option of core and of every plugin inside the executable says what it means', async () => {
  const plugins = (await definitions()).flatMap(({ name, options }) =>
    options === undefined ? [] : optionRows(options).map((row) => ({ ...row, option: `${name} ${row.option}` })),
  );
  const rows = [...optionRows(CoreOptions), ...plugins];
  assert.ok(rows.length > 50, 'the options were found');
  assert.equal(
    rows.filter(({ about }) => about === undefined).map(({ option }) => option),
    [],
  );
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
