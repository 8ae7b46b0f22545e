import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SltvError } from '../../../core/errors.ts';
import { verb } from '../../../core/kernel/verb.ts';
import { decodeInput } from '../../../core/kernel/verb-input.ts';

const Keep = verb({
  about: 'keep a copy',
  example: 'sltv copy keep db --for 30s',
  role: 'operator',
  args: {
    disk: { type: 'text', about: 'which disk' },
    tags: { type: 'text', about: 'words', list: true, optional: true },
  },
  options: {
    size: { type: 'size', about: 'how much', optional: true },
    copies: { type: 'count', about: 'how many', optional: true },
    for: { type: 'duration', about: 'how long', optional: true },
    since: { type: 'time', about: 'from when', optional: true },
    dry: { type: 'flag', about: 'only say it' },
    mode: { type: 'text', about: 'how', choices: ['full', 'fast'], optional: true },
  },
  gives: 'nothing',
  result: {},
});

const decode = (input: unknown) => decodeInput('copy keep', Keep, input);

function failure(input: unknown): SltvError {
  try {
    decode(input);
  } catch (error) {
    assert.instance(error, SltvError);
    return error as SltvError;
  }
  throw new Error('nothing was thrown');
}

for (const [field, wire, value] of [
  ['size', '1073741824', 1024n ** 3n],
  ['size', '10G', 10n * 1024n ** 3n],
  ['size', 4096, 4096n],
  ['copies', 3, 3],
  ['copies', '3', 3],
  ['for', 1500, 1500],
  ['for', '1500', 1500],
  ['for', '30s', 30_000],
  ['for', '1.5h', 5_400_000],
  ['dry', true, true],
  ['dry', 'false', false],
  ['mode', 'fast', 'fast'],
  ['tags', ['a', 'b'], ['a', 'b']],
  ['tags', [], []],
] as const) {
  test(`${field} from ${JSON.stringify(wire)}`, () => {
    assert.equal(decode({ disk: 'db', [field]: wire }), { disk: 'db', [field]: value });
  });
}

test('a time is RFC 3339', () => {
  const { since } = decode({ disk: 'db', since: '2026-01-31T12:00:00+01:00' });
  assert.is((since as Date).toISOString(), '2026-01-31T11:00:00.000Z');
});

test('what is left out stays out, null too', () => {
  assert.equal(decode({ disk: 'db', size: null }), { disk: 'db' });
});

for (const [input, message] of [
  [{}, 'copy keep: disk is missing: which disk'],
  [undefined, 'copy keep: disk is missing: which disk'],
  [['db'], 'copy keep: the input is an object of fields by name'],
  [{ disk: 5 }, 'copy keep: disk: expected text, got 5'],
  [{ disk: 'db', tags: 'a' }, 'copy keep: tags: expected a list, got "a"'],
  [{ disk: 'db', size: '10E' }, "copy keep: size: '10E' is not a size"],
  [{ disk: 'db', size: -1 }, "copy keep: size: '-1' is not a size"],
  [{ disk: 'db', size: 1.5 }, 'copy keep: size: expected a size such as 10G, or bytes as a decimal string, got 1.5'],
  [{ disk: 'db', copies: -1 }, 'copy keep: copies: expected a whole number, got -1'],
  [{ disk: 'db', copies: '1e3' }, 'copy keep: copies: expected a whole number, got "1e3"'],
  [{ disk: 'db', for: 'soon' }, "copy keep: for: 'soon' is not a duration"],
  [{ disk: 'db', for: -5 }, 'copy keep: for: expected a duration such as 30s, or milliseconds, got -5'],
  [
    { disk: 'db', since: 'yesterday' },
    'copy keep: since: expected a time such as 2026-01-31T12:00:00Z, got "yesterday"',
  ],
  [
    { disk: 'db', since: '2026-13-01T00:00:00Z' },
    'copy keep: since: expected a time such as 2026-01-31T12:00:00Z, got "2026-13-01T00:00:00Z"',
  ],
  [{ disk: 'db', dry: 1 }, 'copy keep: dry: expected true or false, got 1'],
  [{ disk: 'db', mode: 'fats' }, "copy keep: mode: 'fats' is none of full, fast"],
] as const) {
  test(`refused: ${JSON.stringify(input)}`, () => {
    const error = failure(input);
    assert.is(error.message, message);
    assert.is(error.code, 'core/input');
  });
}

test('an unknown field is refused with the one that was meant', () => {
  assert.is(failure({ disk: 'db', szie: 1 }).message, 'copy keep: there is no field szie');
  assert.is(failure({ disk: 'db', szie: 1 }).hint, 'did you mean size?');
  assert.is(failure({ disk: 'db', constructor: 1 }).message, 'copy keep: there is no field constructor');
});

test.run();
