import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fields, type Gives, verb } from '../../../core/kernel/verb.ts';
import { flawOfAnswer, flawOfResult } from '../../../core/kernel/verb-result.ts';

const declare = (result: Fields, gives: Gives = 'item') =>
  verb({ about: 'a', example: 'a b', role: 'viewer', args: {}, options: {}, gives, result });
const all = declare({
  name: { type: 'text', about: '' },
  size: { type: 'size', about: '' },
  count: { type: 'count', about: '' },
  took: { type: 'duration', about: '' },
  loud: { type: 'flag', about: '' },
  at: { type: 'time', about: '' },
  tags: { type: 'text', about: '', list: true },
  tone: { type: 'text', about: '', choices: ['warm', 'cold'] },
  more: { type: 'text', about: '', optional: true },
});
const good = { name: '', size: 0n, count: 1, took: 0.5, loud: false, at: new Date(0), tags: [], tone: 'warm' };

test('what is declared is let through, with and without what may be missing', () => {
  assert.is(flawOfResult(all, good), undefined);
  assert.is(flawOfResult(all, { ...good, tags: ['a'], more: 'x', loud: undefined }), undefined);
  assert.is(flawOfResult(all, { ...good, more: undefined, stranger: undefined }), undefined);
});

const cycle: { self?: unknown } = {};
cycle.self = cycle;

for (const [title, value, flaw] of [
  ['text that is a number', { ...good, name: 5 }, 'name should be text, not 5'],
  ['a size that is no bigint', { ...good, size: 5 }, 'size should be a size (a bigint of bytes), not 5'],
  ['half a count', { ...good, count: 0.5 }, 'count should be a whole number, not 0.5'],
  ['no number', { ...good, took: Number.NaN }, 'took should be a duration (a number of milliseconds), not null'],
  ['a flag in words', { ...good, loud: 'yes' }, 'loud should be true or false, not "yes"'],
  ['no time', { ...good, at: new Date(Number.NaN) }, 'at should be a time (a Date), not null'],
  ['a value for a list', { ...good, tags: 'a' }, 'tags should be a list, not "a"'],
  ['a wrong value in a list', { ...good, tags: ['a', 1n] }, 'tags should be text, not 1n'],
  ['none of the choices', { ...good, tone: 'hot' }, 'tone should be one of warm, cold, not "hot"'],
  ['null', { ...good, more: null }, 'more should be text, not null'],
  ['a missing field', { ...good, name: undefined }, 'name is missing'],
  ['an unknown field', { ...good, colour: 'red' }, 'colour is no field of its result'],
  ['what JSON has no word for', { ...good, name: cycle }, 'name should be text, not what JSON has no word for'],
  ['a function', { ...good, name: () => {} }, 'name should be text, not a function'],
] as const) {
  test(`${title} is named`, () => {
    assert.is(flawOfResult(all, value), flaw);
  });
}

test('what is no object at all is named', () => {
  const one = declare({ name: { type: 'text', about: '' } });
  for (const [value, shown] of [
    [5, '5'],
    [undefined, 'undefined'],
    [null, 'null'],
    [[], '[]'],
    ['x', '"x"'],
  ] as const)
    assert.is(flawOfResult(one, value), `expected an object of name, got ${shown}`);
});

test('a list is held to its verb item by item', () => {
  const listed = declare({ name: { type: 'text', about: '' } }, 'list');
  assert.is(flawOfAnswer(listed, []), undefined);
  assert.is(flawOfAnswer(listed, [{ name: 'a' }, { name: 'b' }]), undefined);
  assert.is(flawOfAnswer(listed, [{ name: 'a' }, { name: 5 }]), '[1]: name should be text, not 5');
  assert.is(flawOfAnswer(listed, { name: 'a' }), 'expected a list, got {"name":"a"}');
});

test('of a verb that gives nothing anything may come back', () => {
  assert.is(flawOfAnswer(declare({}, 'nothing'), 5), undefined);
});

test('a long value is cut', () => {
  const flaw = flawOfResult(declare({ name: { type: 'size', about: '' } }), { name: 'x'.repeat(500) });
  assert.ok((flaw ?? '').length < 130, flaw);
});

test.run();
