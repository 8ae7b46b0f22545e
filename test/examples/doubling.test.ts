import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GiB } from '../../core/units.ts';
import { doubling } from '../../examples/plugin-policy/doubling.ts';
import { decide } from '../../plugins/autoextend/policy.ts';
import { sample } from '../plugins/autoextend/samples.ts';

const policy = doubling({ until: '64G' });
const asked = (physical: bigint, fill: bigint, step?: bigint) =>
  policy(sample({ physical: physical * GiB, fill: fill * GiB, step: step === undefined ? undefined : step * GiB }));

test('a small disk doubles once half of it is written', () => {
  assert.equal(asked(10n, 4n), { armAt: 5n * GiB });
  assert.equal(asked(10n, 5n), { extendTo: 20n * GiB, armAt: 10n * GiB });
});

test('a large one grows by a step', () => {
  assert.equal(asked(128n, 95n), { armAt: 96n * GiB });
  assert.equal(asked(128n, 96n), { extendTo: 192n * GiB, armAt: 160n * GiB });
});

test('a guest that ran ahead is overtaken at once', () => {
  assert.equal(asked(10n, 50n), { extendTo: 144n * GiB, armAt: 112n * GiB });
});

test('a step of the disk’s own goes before', () => {
  assert.equal(asked(10n, 9n, 4n), { extendTo: 14n * GiB, armAt: 12n * GiB });
});

test('whatever it is asked, it keeps the rules of a policy', () => {
  for (const physical of [1n, 2n, 65_536n, GiB, 100n * GiB]) {
    for (const fill of [0n, 1n, physical / 2n, physical - 1n, physical, physical * 3n]) {
      for (const step of [undefined, 1n, GiB]) {
        const asking = sample({ physical, fill, step });
        assert.is(decide(policy, policy, asking, undefined).fault, undefined, `${physical} ${fill} ${step}`);
      }
    }
  }
});

test.run();
