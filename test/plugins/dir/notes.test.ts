import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { changeNotes, isDone } from '../../../plugins/dir/notes.ts';

// Few keys and values, so that changes meet what is there.
const notes = fc.dictionary(
  fc.constantFrom('v', 'on', 'op'),
  fc.array(fc.constantFrom('1', '2', '3'), { maxLength: 3 }),
);
const pairs = (from: Readonly<Record<string, readonly string[]>>): Set<string> =>
  new Set(Object.entries(from).flatMap(([key, values]) => values.map((value) => `${key}=${value}`)));

test('what is added is there, what is dropped is not, and all else stays', () => {
  fc.assert(
    fc.property(notes, notes, notes, (before, add, drop) => {
      const expected = new Set([...pairs(before)].filter((pair) => !pairs(drop).has(pair)));
      for (const pair of pairs(add)) expected.add(pair);
      assert.equal([...pairs(changeNotes(before, { add, drop }))].sort(), [...expected].sort());
    }),
  );
});

test('no key is without values, no value twice', () => {
  fc.assert(
    fc.property(notes, notes, (add, drop) => {
      for (const values of Object.values(changeNotes(changeNotes({}, { add }), { drop }))) {
        assert.ok(values.length > 0);
        assert.is(new Set(values).size, values.length);
      }
    }),
  );
});

test('a change is done when it was made, and only when nothing of it is missing', () => {
  fc.assert(
    fc.property(notes, notes, notes, (before, add, drop) => {
      const disjoint = Object.fromEntries(
        Object.entries(drop).map(([key, values]) => [key, values.filter((value) => !add[key]?.includes(value))]),
      );
      const after = changeNotes(before, { add, drop: disjoint });
      assert.is(isDone(after, { add, drop: disjoint }), true);
      const changes = [...pairs(after)].sort().join() !== [...pairs(before)].sort().join();
      assert.is(isDone(before, { add, drop: disjoint }), !changes);
    }),
  );
});

test.run();
