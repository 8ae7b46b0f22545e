import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GiB, MiB } from '../../../core/units.ts';
import { ahead } from '../../../plugins/autoextend/ahead.ts';
import { keepFree } from '../../../plugins/autoextend/keep-free.ts';
import { decide, type Policy } from '../../../plugins/autoextend/policy.ts';
import { anySample, sample } from './samples.ts';

const standIn: Policy = () => ({ extendTo: 77n * GiB, armAt: 70n * GiB });
const shipped = {
  ahead: ahead(),
  'ahead with bounds': ahead({ headroom: { least: '64M', most: '2G' }, step: { least: '64M', most: '64M' } }),
  'keepFree by shares': keepFree({ percent: 10, step: '10%' }),
  'keepFree by steps': keepFree({ percent: 25, step: '1G' }),
};

for (const [name, policy] of Object.entries(shipped)) {
  test(`${name}: whatever the disk, its wish is carried out, once is enough, and the next event comes in time`, () => {
    fc.assert(
      fc.property(anySample, (asked) => {
        const first = decide(policy, standIn, asked, undefined);
        assert.is(first.fault, undefined);
        const physical = first.extendTo ?? asked.physical;
        assert.ok(physical >= asked.physical, 'never smaller');
        assert.is(physical % asked.extent, 0n, 'whole extents');
        const { extendTo, armAt = -1n, fault } = decide(policy, standIn, { ...asked, physical }, undefined);
        assert.is(fault, undefined);
        assert.is(extendTo, undefined, 'nothing more is wanted then');
        assert.ok(armAt < physical, 'told before it is full');
        assert.ok(armAt > asked.fill || asked.fill === 0n, 'and not told at once');
      }),
    );
  });

  test(`${name}: it stays below what the whole image can need`, () => {
    fc.assert(
      fc.property(anySample, fc.bigInt({ min: MiB, max: 20_000n * GiB }), (asked, fullSize) => {
        const { extendTo, armAt } = decide(policy, standIn, asked, fullSize);
        const ceiling = ((fullSize + asked.extent - 1n) / asked.extent) * asked.extent;
        if (extendTo !== undefined) assert.ok(extendTo <= ceiling && extendTo > asked.physical);
        if (asked.physical >= ceiling)
          assert.equal([extendTo, armAt], [undefined, undefined], 'at its limit nothing is due');
      }),
    );
  });
}

test('an extension up to the limit is the last: nothing is armed after it', () => {
  const asked = sample({ fill: 9n * GiB + 512n * MiB });
  const last = decide(ahead(), standIn, asked, 10n * GiB + 5n * MiB);
  assert.equal(last, { extendTo: 10n * GiB + 8n * MiB, armAt: undefined, fault: undefined });
});

const NONSENSE: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
  throws: [
    () => {
      throw new Error('out of order');
    },
    /it failed: out of order/,
  ],
  'answers nothing': [() => undefined, /answered undefined/],
  'answers with a promise': [async () => ({ armAt: 1n }), /promise/],
  'answers with numbers': [() => ({ armAt: 1024 }), /armAt is 1024/],
  'wants to extend by words': [() => ({ extendTo: '20G', armAt: 1n }), /extendTo is 20G/],
  'would shrink the disk': [() => ({ extendTo: GiB, armAt: 1n }), /shrink/],
  'arms where nobody would hear it': [() => ({ armAt: 10n * GiB }), /not below the size/],
  'arms what is passed, and extends nothing': [() => ({ armAt: GiB }), /passed already/],
};

for (const [what, [answer, fault]] of Object.entries(NONSENSE)) {
  test(`a policy that ${what} is not followed: another serves, and it is said why`, () => {
    const decision = decide(answer as Policy, standIn, sample(), undefined);
    assert.match(decision.fault ?? '', fault);
    assert.equal([decision.extendTo, decision.armAt], [77n * GiB, 70n * GiB]);
  });
}

test.run();
