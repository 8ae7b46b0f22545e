import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

test('docs/performance.md has a place for the result of each benchmark, and for no other', () => {
  const [, names = ''] = /^const NAMES = \[(.*)\];$/m.exec(read('bench/run.mjs')) ?? [];
  const measured = [...names.matchAll(/'(\w+)'/g)].map(([, name]) => name);
  const places = [
    ...read('docs/performance.md').matchAll(/^<!-- result of (\w+) -->$(?=[\s\S]*?^<!-- end of result -->$)/gm),
  ];
  assert.ok(measured.length > 5, 'the benchmarks were found');
  assert.equal(places.map(([, name]) => name).toSorted(), measured.toSorted());
});

test.run();
