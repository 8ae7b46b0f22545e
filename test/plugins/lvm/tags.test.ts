import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Notes } from '../../../core/capabilities/storage.ts';
import { SltvError } from '../../../core/errors.ts';
import { notesOf, tagChanges, tagsOf } from '../../../plugins/lvm/tags.ts';

/** What LVM takes as a tag, as its manual has it. */
const LVM_TAG = /^[A-Za-z0-9_+./=!:&#-]{1,1024}$/;

const key = fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/);
const value = fc.string({ unit: 'binary', maxLength: 60 });
const someNotes: fc.Arbitrary<Notes> = fc.dictionary(key, fc.uniqueArray(value, { minLength: 1, maxLength: 4 }));

/** The same notes, whatever their order. */
const sorted = (notes: Notes) =>
  Object.entries(notes)
    .map(([name, values]) => [name, values.toSorted()])
    .filter(([, values]) => values?.length)
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));

test('any notes come back from their tags, and LVM takes every one of those', () => {
  fc.assert(
    fc.property(someNotes, (notes) => {
      const tags = tagsOf(notes);
      for (const tag of tags) assert.match(tag, LVM_TAG);
      assert.equal(sorted(notesOf(tags)), sorted(notes));
    }),
  );
});

test('changes lead from any notes to those wanted, and twice is once', () => {
  fc.assert(
    fc.property(someNotes, someNotes, someNotes, (before, add, drop) => {
      const tags = tagsOf(before);
      const change = tagChanges(tags, { add, drop });
      const after = [...tags.filter((tag) => !change.drop.includes(tag)), ...change.add];
      const notes = notesOf(after);
      for (const [name, values] of Object.entries(add)) {
        for (const one of values) assert.ok(notes[name]?.includes(one), `${name}=${one} was added`);
      }
      for (const [name, values] of Object.entries(drop)) {
        for (const one of values) {
          const stays = Object.hasOwn(add, name) && add[name]?.includes(one);
          assert.is(Object.hasOwn(notes, name) && notes[name]?.includes(one) === true, stays === true);
        }
      }
      assert.equal(tagChanges(after, { add, drop }), { add: [], drop: [] });
    }),
  );
});

test('tags are written as the on-disk format has them', () => {
  assert.equal(tagsOf({ own: ['4f2c/vdb/web 01'], op: ['a=b', '50%', 'ü'] }), [
    'sltv:own=4f2c/vdb/web=2001',
    'sltv:op=a=3Db',
    'sltv:op=50=25',
    'sltv:op==C3=BC',
  ]);
});

test('tags that are not ours, or say nothing, are no notes', () => {
  assert.equal(notesOf(['backup', 'owner=me', 'sltv', 'sltv:', 'sltv:word', 'sltv:=x', 'SLTV:v=1']), {});
});

test('a note that somebody spelt otherwise is read, kept, and dropped', () => {
  const tags = ['sltv:op=a=3db', 'sltv:host=node=2D1', 'sltv:odd=50=', 'sltv:odder==XX'];
  assert.equal(notesOf(tags), { op: ['a=b'], host: ['node-1'], odd: ['50='], odder: ['=XX'] });
  assert.equal(tagChanges(tags, { add: { op: ['a=b'] } }), { add: [], drop: [] });
  assert.equal(tagChanges(tags, { drop: { host: ['node-1'], odder: ['=XX'] } }).drop, [tags[1], tags[3]]);
});

test('words that JavaScript objects have anyway are notes like others', () => {
  const tags = tagsOf({ constructor: ['1'] });
  assert.equal(tags, ['sltv:constructor=1']);
  assert.equal(tagChanges([], { add: { toString: ['x'] }, drop: { constructor: ['1'] } }).add, ['sltv:toString=x']);
});

test('a note that makes a tag of more than 1,024 characters is refused, one of 1,024 is not', () => {
  const room = 1024 - 'sltv:k='.length;
  assert.is(tagsOf({ k: ['x'.repeat(room)] })[0]?.length, 1024);
  assert.throws(() => tagsOf({ k: ['x'.repeat(room + 1)] }), isBadNote);
  assert.throws(() => tagsOf({ k: ['ü'.repeat(200)] }), isBadNote);
});

test('a key that can’t stand in a tag is refused', () => {
  for (const bad of ['', 'a=b', 'a b', 'ü', 'a,b']) assert.throws(() => tagsOf({ [bad]: ['1'] }), isBadNote);
});

function isBadNote(error: unknown): boolean {
  return error instanceof SltvError && error.code === 'lvm/bad-note' && error.kind === 'invalid';
}

test.run();
