import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allCommands } from '../../core/cli/nouns.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

test("the README's table has every verb, and no other", async () => {
  const written = [...PAGE.matchAll(/^\| `sltv ([a-z ]+[a-z])/gm)].map(([, words = '']) => words);
  assert.equal(written.toSorted(), Object.keys(await allCommands()).toSorted());
});

test.run();
