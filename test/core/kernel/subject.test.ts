import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readSubject } from '../../../core/kernel/subject.ts';

for (const [words, subject] of [
  ['*', []],
  [' * ', []],
  ['CN=monitor', [['CN', 'monitor']]],
  ['cn=monitor', [['CN', 'monitor']]],
  [
    'OU=storage, O=Example Ltd',
    [
      ['OU', 'storage'],
      ['O', 'Example Ltd'],
    ],
  ],
  [
    'O=Example\\, Ltd,CN=a=b',
    [
      ['O', 'Example, Ltd'],
      ['CN', 'a=b'],
    ],
  ],
  [' CN = no', undefined],
  ['', undefined],
  ['monitor', undefined],
  ['CN=', undefined],
  ['CN=a,', undefined],
  ['CN=a,*', undefined],
  ['=a', undefined],
] as const) {
  test(`'${words}' is ${subject === undefined ? 'no subject' : JSON.stringify(subject)}`, () => {
    assert.equal(readSubject(words), subject);
  });
}

test.run();
