// docs/cli.md is written from the declarations; this holds it to them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { globalSpellings } from '../../../core/cli/globals.ts';
import { aliases, allCommands } from '../../../core/cli/nouns.ts';
import { cliPage } from '../../../core/cli/page.ts';
import { spelledOptions } from '../../../core/cli/parse.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');

test('the page is as the declarations make it (node core/cli/page.ts > docs/cli.md)', async () => {
  assert.fixture(PAGE, await cliPage());
});

test('every verb, option and old spelling stands on it', async () => {
  const words = Object.entries(await allCommands()).flatMap(([words, { verb, spellings }]) => [
    `### sltv ${words}\n`,
    ...spelledOptions(verb.options, spellings).keys(),
  ]);
  const missing = [...words, ...globalSpellings, ...Object.keys(aliases)].filter((word) => !PAGE.includes(word));
  assert.equal(missing, []);
});

test.run();
