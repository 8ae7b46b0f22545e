import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { objectionToName } from '../../../plugins/dir/names.ts';

for (const name of ['a', 'web01-data', 'a.json', 'pool', 'lock', 'größe', 'x'.repeat(246), '-a', 'a b']) {
  test(`a volume may be called ${name.slice(0, 20)}`, () => assert.is(objectionToName(name), undefined));
}

for (const [name, words] of [
  ['', /needs a name/],
  ['.', /hidden/],
  ['..', /hidden/],
  ['.sltv', /hidden/],
  ['a/b', /slash/],
  ['a\nb', /control/],
  ['a\0', /control/],
  ['x'.repeat(247), /246 bytes/],
  ['ü'.repeat(124), /246 bytes/],
] as const) {
  test(`no volume is called ${JSON.stringify(name.slice(0, 10))}`, () =>
    assert.match(objectionToName(name) ?? '', words));
}

test.run();
