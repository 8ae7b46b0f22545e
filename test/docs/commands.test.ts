// Every `sltv …` that a page shows to be typed is a verb that there is, with options that it has.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { globalSpellings } from '../../core/cli/globals.ts';
import { aliases, allCommands } from '../../core/cli/nouns.ts';
import { spelledOptions } from '../../core/cli/parse.ts';
import type { Fields } from '../../core/kernel/verb.ts';
import { definitions } from '../../plugins/options-page.ts';
import { blocksOf } from '../fixtures/pages.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = globSync('{README.md,docs/*.md,plugins/*/README.md,examples/cluster/README.md}', { cwd: ROOT }).filter(
  // Its plugins bring verbs of their own; a test types all of it.
  (page) => page !== 'docs/writing-a-plugin.md',
);

interface Grammar {
  readonly options: Fields;
  readonly spellings: Readonly<Record<string, readonly string[]>>;
}

async function grammars(): Promise<ReadonlyMap<string, Grammar>> {
  const core = Object.entries(await allCommands()).map(
    ([words, { verb, spellings }]) => [words, { options: verb.options, spellings }] as const,
  );
  const plugins = (await definitions())
    .flatMap(({ verbs = {} }) => Object.entries(verbs))
    .map(([words, { options }]) => [words, { options, spellings: {} }] as const);
  return new Map([...core, ...plugins]);
}

/** What is typed: in blocks, and between backquotes. */
function typedIn(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = blocksOf(page).filter(({ language }) => language === 'sh' || language === 'console');
  const lines = [...blocks.map((block) => block.text), ...(text.match(/^ {4}.*$/gm) ?? [])].join('\n');
  const typed = [...lines.matchAll(/^(?: {4})?(?:\$ )?(?:\w[^|]*&& )?(sltv .*)$/gm)].map(([, line = '']) => line);
  const words = [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`(sltv [^`]+)`/g)].map(([, word = '']) => word);
  return [...typed, ...words];
}

/** What is wrong with it; undefined where nothing is. */
function flaw(typed: string, known: ReadonlyMap<string, Grammar>): string | undefined {
  const [own = ''] = typed.split(/ #| -- | && | \|\| |[;|<>]/);
  const [, noun = '', ...rest] = own.replace(/[[\]]/g, '').trim().split(/\s+/);
  // `sltv help …`, the old spellings, `sltv NOUN VERB`, and options without a verb.
  if (/^(?:help|NOUN|…|--.*|)$/.test(noun) || noun in aliases) return undefined;
  const grammar = known.get(`${noun} ${rest[0]}`) ?? known.get(noun);
  if (grammar === undefined) return `${typed}: no such verb`;
  const { options, spellings } = grammar;
  const may = [...spelledOptions(options, spellings).keys(), ...globalSpellings, '--watch'];
  const wrong = rest
    .map((word) => word.split('=')[0] ?? '')
    .filter((word) => word.startsWith('--') && !may.includes(word));
  return wrong.length === 0 ? undefined : `${typed}: no such option ${wrong.join(', ')}`;
}

for (const page of PAGES) {
  test(`${page}: every command that it shows is there`, async () => {
    const known = await grammars();
    assert.equal(
      typedIn(page).flatMap((typed) => flaw(typed, known) ?? []),
      [],
    );
  });
}

test('a verb or an option that is not there is found', async () => {
  const known = await grammars();
  assert.match(flaw('sltv disk make web01', known) ?? '', 'no such verb');
  assert.match(flaw('sltv disk create web01 --big', known) ?? '', 'no such option --big');
  assert.is(flaw('sltv autoextend status DISK --watch', known), undefined);
  assert.is(flaw('sltv disk create web01 --size=10G   # --big', known), undefined);
});

test('the pages show commands', () => {
  assert.ok(PAGES.flatMap(typedIn).length > 100);
});

test.run();
