import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GiB, MiB, TiB } from '../../../core/units.ts';
import { ahead } from '../../../plugins/autoextend/ahead.ts';
import { sample } from './samples.ts';

test('an idle disk has a GiB free, a small one a quarter of what its guest sees', () => {
  assert.equal(ahead()(sample()), { armAt: 9n * GiB });
  const small = sample({ virtual: GiB, physical: GiB, fill: 0n });
  assert.equal(ahead()(small), { armAt: GiB - 256n * MiB });
});

test('the headroom outlasts four extensions at the speed of the guest, up to its bound', () => {
  const busy = sample({ rate: Number(GiB), extensionTime: 1_000, physical: 100n * GiB });
  assert.equal(ahead()(busy), { armAt: 96n * GiB });
  assert.equal(ahead({ headroom: { most: '2G' } })(busy), { armAt: 98n * GiB });
});

test('a disk grows from what its guest has reached, by an eighth or by what is written in half a minute', () => {
  const crossed = sample({ fill: 9n * GiB, physical: 10n * GiB });
  assert.equal(ahead()(crossed), { extendTo: 10n * GiB + (10n * GiB) / 8n, armAt: 10n * GiB + (10n * GiB) / 8n - GiB });
  const fast = { ...crossed, rate: Number(100n * MiB) };
  assert.is(ahead()(fast).extendTo, 10n * GiB + 3000n * MiB);
});

test('no headroom at all is refused', () => {
  assert.throws(() => ahead({ headroom: { least: '0' } }), /stops before anybody hears of it/);
});

test('what the operator says a disk grows by, it grows by', () => {
  assert.is(ahead()(sample({ fill: 9n * GiB, step: 20n * GiB })).extendTo, 30n * GiB);
});

test('a volume that grows from 1 GiB to 1 TiB has had less than a hundred extensions', () => {
  let physical = GiB;
  let extensions = 0;
  for (; physical < TiB; extensions++) {
    const { armAt } = ahead()(sample({ physical, virtual: 2n * TiB, fill: 0n }));
    physical = ahead()(sample({ physical, virtual: 2n * TiB, fill: armAt + MiB })).extendTo ?? physical;
  }
  assert.ok(extensions < 100, `it had ${extensions}`);
});

test.run();
