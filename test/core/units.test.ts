import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asSltvError } from '../../core/errors.ts';
import { formatSize, GiB, KiB, MiB, parseDuration, parseSize, roundDown, roundUp, TiB } from '../../core/units.ts';

const MAX = 2n ** 63n - 1n;
const UNITS = { '': 1n, B: 1n, K: KiB, M: MiB, G: GiB, T: TiB } as const;
const bytes = fc.bigInt({ min: 0n, max: MAX });

function errorOf(work: () => unknown) {
  try {
    work();
  } catch (error) {
    return asSltvError(error);
  }
  throw new Error('it succeeded');
}

for (const [word, size] of [
  ['0', 0n],
  ['4096', 4096n],
  ['512B', 512n],
  ['1K', 1024n],
  ['10G', 10n * GiB],
  ['1.5T', 1536n * GiB],
  ['1.5GiB', 1536n * MiB],
  ['2mb', 2n * MiB],
  ['2 MiB', 2n * MiB],
  [' 10g ', 10n * GiB],
  ['0.0001K', 0n],
  ['1.9', 1n],
  ['007', 7n],
  ['9223372036854775807', MAX],
  ['8388607.999T', 9223372035755264180n],
] as const) {
  test(`'${word}' is ${size} bytes`, () => assert.is(parseSize(word), size));
}

for (const word of [
  '',
  ' ',
  '10E',
  '-1',
  '+1',
  'NaN',
  'Infinity',
  '1e3',
  '0x10',
  '1,5G',
  '1.G',
  '.5G',
  '10Gi B',
  '10iB',
  'G',
  '1 2',
  '1.2.3',
  '١0',
]) {
  test(`'${word}' is not a size, and the hint shows one`, () => {
    const error = errorOf(() => parseSize(word));
    assert.equal([error.kind, error.code], ['invalid', 'core/bad-size']);
    assert.match(error.hint ?? '', '10G');
  });
}

test('no volume has more bytes than LVM and qcow2 can count', () => {
  for (const word of ['9223372036854775808', '8388608T', '1'.repeat(400)]) {
    assert.is(errorOf(() => parseSize(word)).code, 'core/bad-size');
  }
});

test('a whole number of units is that many, in whatever spelling', () => {
  const unit = fc.constantFrom(...(Object.keys(UNITS) as (keyof typeof UNITS)[]));
  const ending = (u: string) => (u === '' || u === 'B' ? [''] : ['', 'B', 'iB']);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 8_388_607n }), unit, fc.boolean(), (count, u, lower) => {
      for (const end of ending(u)) {
        const word = `${count}${u}${end}`;
        assert.is(parseSize(lower ? word.toLowerCase() : word), count * UNITS[u]);
      }
    }),
  );
});

test('a fraction is exact, down to the byte', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8191 }), fc.integer({ min: 0, max: 999_999 }), (whole, millionths) => {
      const word = `${whole}.${String(millionths).padStart(6, '0')}T`;
      assert.is(parseSize(word), ((BigInt(whole) * 1_000_000n + BigInt(millionths)) * TiB) / 1_000_000n);
    }),
  );
});

test('a size for people is never more than the bytes are, and at most a hundredth of its unit less', () => {
  fc.assert(
    fc.property(bytes, (size) => {
      const [, unit = ''] = formatSize(size).split(' ');
      const read = parseSize(formatSize(size));
      assert.ok(
        read <= size && (size - read) * 100n <= UNITS[(unit[0] ?? '') as keyof typeof UNITS] + 100n,
        formatSize(size),
      );
    }),
  );
});

for (const [size, words] of [
  [0n, '0 B'],
  [1023n, '1023 B'],
  [1024n, '1 KiB'],
  [1536n, '1.5 KiB'],
  [MiB - 1n, '1023.99 KiB'],
  [10n * GiB, '10 GiB'],
  [2n * TiB + 512n * GiB, '2.5 TiB'],
  [MAX, '8388607.99 TiB'],
] as const) {
  test(`${size} bytes read as ${words}`, () => assert.is(formatSize(size), words));
}

test('rounding up gives the least multiple that is not below', () => {
  fc.assert(
    fc.property(bytes, fc.bigInt({ min: 1n, max: GiB }), (size, unit) => {
      const rounded = roundUp(size, unit);
      assert.is(rounded % unit, 0n);
      assert.ok(rounded >= size && rounded - size < unit);
    }),
  );
});

for (const [word, milliseconds] of [
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5h', 5_400_000],
  ['2 m', 120_000],
  ['0s', 0],
] as const) {
  test(`'${word}' is ${milliseconds} ms`, () => assert.is(parseDuration(word), milliseconds));
}

for (const word of ['', '30', '-1s', '1e3s', 'Infinitys', '1d', 's', '9'.repeat(30).concat('h')]) {
  test(`'${word}' is not a duration`, () => assert.is(errorOf(() => parseDuration(word)).kind, 'invalid'));
}

test('rounding down gives the greatest multiple that is not above', () => {
  const units = fc.bigInt({ min: 1n, max: 2n ** 40n });
  fc.assert(
    fc.property(bytes, units, (size, unit) => {
      const rounded = roundDown(size, unit);
      assert.is(rounded % unit, 0n);
      assert.ok(rounded <= size && size < rounded + unit);
    }),
  );
});

test.run();
