import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { judge, type Remembered, type Told } from '../../../plugins/etcd-lock/generation.ts';

const KNOWN: Remembered = { clusterId: 'c', n: 2, uuid: 'u', revision: 100n, spoken: 90n, spokenAt: 'k' };
const SAME: Told = { clusterId: 'c', generation: { n: 2, uuid: 'u' }, revision: 100n, spoken: 90n };

for (const [fact, remembered, told, is] of [
  ['a store as it was is believed', KNOWN, SAME, 'as-it-was'],
  ['a store that went on is believed', KNOWN, { ...SAME, revision: 200n, spoken: 150n }, 'as-it-was'],
  ['an empty store is new to who remembers nothing', undefined, { ...SAME, clusterId: undefined }, 'new'],
  ['who remembers nothing takes a store as it is', undefined, SAME, 'ahead'],
  [
    'a later generation is taken, whatever its revision',
    KNOWN,
    { ...SAME, generation: { n: 3, uuid: 'w' }, revision: 5n },
    'ahead',
  ],
  ['a store without id, to who remembers one, was emptied', KNOWN, { ...SAME, clusterId: undefined }, 'forgetful'],
  ['a store without generation was emptied', KNOWN, { ...SAME, generation: undefined }, 'forgetful'],
  ['another id is another cluster', KNOWN, { ...SAME, clusterId: 'd', generation: { n: 9, uuid: 'u' } }, 'forgetful'],
  [
    'an earlier generation was restored',
    KNOWN,
    { ...SAME, generation: { n: 1, uuid: 't' }, revision: 900n },
    'forgetful',
  ],
  [
    'a second generation of the same number was restored',
    KNOWN,
    { ...SAME, generation: { n: 2, uuid: 'w' } },
    'forgetful',
  ],
  ['a lower revision was restored', KNOWN, { ...SAME, revision: 99n }, 'forgetful'],
  [
    'a store that lost what this node wrote was restored, though others wrote on',
    KNOWN,
    { ...SAME, revision: 500n, spoken: 89n },
    'forgetful',
  ],
  [
    'a store that lost this node’s entry was restored',
    KNOWN,
    { ...SAME, revision: 500n, spoken: undefined },
    'forgetful',
  ],
  [
    'who has not spoken in this generation misses no entry',
    { ...KNOWN, spoken: 0n },
    { ...SAME, spoken: undefined },
    'as-it-was',
  ],
] as const satisfies readonly (readonly [string, Remembered | undefined, Told, string])[]) {
  test(fact, () => assert.is(judge(remembered, told).is, is));
}

test('only what is wrong with this cluster’s own store is for all nodes to know', () => {
  const isOurs = (told: Told) => {
    const found = judge(KNOWN, told);
    return found.is === 'forgetful' && found.isOurs;
  };
  assert.is(isOurs({ ...SAME, revision: 1n }), true);
  assert.is(isOurs({ ...SAME, clusterId: undefined }), true);
  assert.is(isOurs({ ...SAME, clusterId: 'd' }), false);
});

test.run();
