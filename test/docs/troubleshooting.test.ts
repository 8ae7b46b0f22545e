// docs/troubleshooting.md quotes what sltv really says, and names codes that there are.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const PAGE = read('docs/troubleshooting.md');
const SOURCE = globSync('{core,plugins}/**/*.ts', { cwd: ROOT })
  .map(read)
  .join('\n')
  .replace(/\\'/g, "'")
  // What stands in a sentence for a name.
  .replace(/\$\{[^{}]*\}/g, '…');

test('every sentence that it quotes is one that sltv says, piece by piece between its names', () => {
  const quoted = [...PAGE.matchAll(/“([^”]+)”/g)].map(([, words = '']) => words).filter((words) => words !== 'quotes');
  assert.ok(quoted.length > 40, 'the page quotes');
  const pieces = quoted.flatMap((words) => words.split('…').map((piece) => ({ words, piece: piece.trim() })));
  assert.equal(
    pieces
      .filter(({ piece }) => piece.length > 2 && !SOURCE.includes(piece))
      .map(({ words, piece }) => `${piece} (${words})`),
    [],
  );
});

test('every code that it names stands in docs/errors.md', () => {
  const errors = read('docs/errors.md');
  const codes = [...PAGE.matchAll(/`([a-z-]+\/[a-z-]+)`/g)].map(([, code = '']) => code);
  assert.ok(codes.length > 40, 'the page names codes');
  assert.equal(
    codes.filter((code) => !errors.includes(`| \`${code}\` |`)),
    [],
  );
});

test.run();
