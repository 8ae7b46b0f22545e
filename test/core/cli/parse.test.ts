import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Grammar, parse } from '../../../core/cli/parse.ts';

const grammar = (part: Partial<Grammar>): Grammar => ({
  title: 'sltv x',
  args: {},
  options: {},
  spellings: {},
  nearby: [],
  ...part,
});
const text = { type: 'text', about: 'words' } as const;
const named = grammar({ args: { name: text }, options: { pool: { ...text, optional: true } } });

for (const word of ['007', '1e3', '0x10', '', ' ', '-5', '-.5', '-', 'true', '9007199254740993', 'a=b', 'ä', '\0a']) {
  test(`the word ${JSON.stringify(word)} stays as typed`, () => {
    assert.equal(parse(named, [word]), { name: word });
    assert.equal(parse(named, ['a', '--pool', word]), { name: 'a', pool: word });
    assert.equal(parse(named, ['a', `--pool=${word}`]), { name: 'a', pool: word });
  });
}

test('whatever is typed arrives as typed', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (name, pool) => {
      fc.pre(!/^-(?![\d.]|$)/.test(name));
      assert.equal(parse(named, [name, `--pool=${pool}`]), { name, pool });
      assert.equal(parse(named, [`--pool=${pool}`, '--', name]), { name, pool });
    }),
  );
});

test('what follows -- is never an option', () => {
  assert.equal(parse(named, ['--', '--pool']), { name: '--pool' });
  assert.equal(parse(named, ['--pool', 'p', '--', '-a']), { pool: 'p', name: '-a' });
});

test('the last argument may take several words', () => {
  const many = grammar({ args: { name: text, devices: { ...text, list: true } } });
  assert.equal(parse(many, ['p', '/dev/a', '/dev/b']), { name: 'p', devices: ['/dev/a', '/dev/b'] });
  assert.throws(() => parse(many, ['p']), /needs DEVICES/);
});

test('an optional argument may be missing', () => {
  assert.equal(parse(grammar({ args: { name: { ...text, optional: true } } }), []), {});
});

test('an option that is a list is given once or often', () => {
  const tagged = grammar({ options: { tag: { ...text, list: true, optional: true } } });
  assert.equal(parse(tagged, ['--tag', 'a']), { tag: ['a'] });
  assert.equal(parse(tagged, ['--tag', 'a', '--tag=2']), { tag: ['a', '2'] });
  assert.equal(parse(tagged, []), {});
});

test('a flag takes no word from what follows it', () => {
  const forced = grammar({ args: { name: text }, options: { force: { type: 'flag', about: 'now' } } });
  for (const word of ['true', 'false', 'a']) {
    assert.equal(parse(forced, ['--force', word]), { force: true, name: word });
  }
});

test('an option is spelled as its field, with hyphens, or by its other spellings', () => {
  const spelled = grammar({
    options: { keepFree: { ...text, optional: true }, 'no-wipe': { type: 'flag', about: 'leave it' } },
    spellings: { keepFree: ['room', 'k'] },
  });
  for (const typed of ['--keep-free', '--room', '-k']) assert.equal(parse(spelled, [typed, 'x']), { keepFree: 'x' });
  assert.equal(parse(spelled, ['--no-wipe']), { 'no-wipe': true });
  assert.throws(() => parse(spelled, ['--keepFree', 'x']), /no option --keepFree/);
});

for (const [type, word, value] of [
  ['size', '1.5K', 1536n],
  ['count', '12', 12],
  ['duration', '1.5s', 1500],
  ['time', '2026-01-31T18:30:00Z', new Date('2026-01-31T18:30:00Z')],
] as const) {
  test(`a ${type} is read from ${word}`, () => {
    assert.equal(parse(grammar({ args: { it: { type, about: 'it' } } }), [word]), { it: value });
  });
}

for (const [type, word, message] of [
  ['count', '1.5', "'1.5' is not a number"],
  ['count', '-1', "'-1' is not a number"],
  ['duration', '5', "'5' is not a duration"],
  ['time', 'soon', "'soon' is not a time"],
] as const) {
  test(`a ${type} is not read from ${word}`, () => {
    assert.throws(
      () => parse(grammar({ args: { it: { type, about: 'it' } } }), [word]),
      (error: Error) => error.message.includes(message),
    );
  });
}

test('a word outside the choices is answered with them', () => {
  const toned = grammar({ options: { tone: { ...text, choices: ['warm', 'cold'] } } });
  assert.equal(parse(toned, ['--tone', 'warm']), { tone: 'warm' });
  assert.throws(() => parse(toned, ['--tone', 'hot']), /'hot' is not one of warm, cold/);
});

test.run();
