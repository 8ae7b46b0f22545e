// docs/errors.md and the code say the same: every code stands on the page with its kind, and nothing else does.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Code } from '@connectrpc/connect';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { coreErrors, type Errors, KINDS, type Kind } from '../../core/errors.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');

type Catalogue = Errors<string, Readonly<Record<string, Kind>>>;
const isCatalogue = (value: unknown): value is Catalogue =>
  typeof value === 'function' && 'namespace' in value && 'codes' in value;

async function catalogues(): Promise<readonly Catalogue[]> {
  const files = globSync('plugins/*/errors.ts', { cwd: ROOT }).sort();
  const modules: readonly object[] = await Promise.all(files.map((file) => import(join(ROOT, file))));
  return [coreErrors, ...modules.flatMap((module) => Object.values(module).filter(isCatalogue))];
}

/** The cells of a table's rows whose first cell matches. */
function rows(text: string, first: RegExp): readonly (readonly string[])[] {
  const lines = text.split('\n').filter((line) => line.startsWith('| '));
  const cells = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return cells.filter(([cell = '']) => first.test(cell));
}

test('the page has every code of core and the plugins with its kind, and no other', async () => {
  const declared = (await catalogues()).flatMap(({ namespace, codes }) =>
    Object.entries(codes).map(([code, kind]) => `${namespace}/${code} ${kind}`),
  );
  const written = rows(PAGE, /^`[a-z-]+\/[a-z-]+`$/).map(([code = '', kind]) => `${code.replaceAll('`', '')} ${kind}`);
  assert.equal(written.toSorted(), declared.toSorted());
});

test('every code has its meaning and what to do', () => {
  for (const [code, , meaning = '', remedy = ''] of rows(PAGE, /^`/)) {
    assert.ok(meaning.length > 10, `${code} says what it means`);
    assert.ok(remedy.length > 5, `${code} says what to do`);
  }
});

test('every kind stands on the page with its exit status and gRPC code', () => {
  const kinds = Object.entries(KINDS).map(([kind, { exit, grpc }]) => `${kind} ${exit} ${grpcName(grpc)}`);
  const table = PAGE.slice(PAGE.indexOf('## Kinds'), PAGE.indexOf('## core'));
  const written = rows(table, /^[a-z-]+$/).filter(([kind]) => kind !== 'kind');
  assert.equal(
    written.map(([kind, exit, grpc]) => `${kind} ${exit} ${grpc}`),
    kinds,
  );
});

/** `INVALID_ARGUMENT` for 3, as gRPC writes it. */
function grpcName(code: number): string {
  const name = Code[code] ?? '';
  return name === 'Canceled' ? 'CANCELLED' : name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

test('every code is one that somebody may meet: it stands in the source beside its declaration', async () => {
  const unused = (await catalogues()).flatMap(({ namespace, codes }) => {
    const folder = namespace === 'core' ? 'core' : `plugins/${namespace}`;
    const text = globSync(`${folder}/**/*.ts`, { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), 'utf8'));
    const uses = (code: string) => text.join('\n').split(`'${code}'`).length - 1;
    // Once quoted is its declaration alone; a code without a dash is declared without quotes.
    return Object.keys(codes).filter((code) => uses(code) < (code.includes('-') ? 2 : 1));
  });
  assert.equal(unused, []);
});

test("every plugin's codes stand where the page looks for them: in its errors.ts", () => {
  const elsewhere = globSync('plugins/**/*.ts', { cwd: ROOT })
    .filter((file) => !/^plugins\/[^/]+\/errors\.ts$/.test(file))
    .filter((file) => /\berrors\(\s*['"]/.test(readFileSync(join(ROOT, file), 'utf8')));
  assert.equal(elsewhere, []);
});

test.run();
