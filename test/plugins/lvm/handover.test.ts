import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Commit, judge, readMark, type Verdict, writeMark } from '../../../plugins/lvm/handover.ts';

const commit = fc.record({ sequence: fc.nat(), content: fc.stringMatching(/^\d{1,6}:\d{1,10}(,\d{1,6}:\d{1,10})?$/) });

test('a VG as it was left is the same, however its last holder ended', () => {
  fc.assert(
    fc.property(commit, fc.boolean(), (left, isOrderly) => assert.is(judge(left, { ...left }, isOrderly), 'same')),
  );
});

test('what was left and is not there is a lost update, however its last holder ended', () => {
  fc.assert(
    fc.property(commit, commit, fc.boolean(), (left, now, isOrderly) => {
      const isThere = now.sequence > left.sequence || (now.sequence === left.sequence && now.content === left.content);
      assert.is(judge(left, now, isOrderly) === 'lost-update', !isThere);
    }),
  );
});

test('further commits are a holder’s that did not end in order, and else nobody’s', () => {
  const rows: [Commit, boolean, Verdict][] = [
    [{ sequence: 21, content: 'b' }, true, 'foreign-write'],
    [{ sequence: 21, content: 'b' }, false, 'accepted'],
    [{ sequence: 99, content: 'a' }, true, 'foreign-write'],
    [{ sequence: 20, content: 'b' }, true, 'lost-update'],
    [{ sequence: 20, content: 'b' }, false, 'lost-update'],
    [{ sequence: 19, content: 'a' }, false, 'lost-update'],
    [{ sequence: 20, content: 'a' }, true, 'same'],
  ];
  for (const [now, isOrderly, verdict] of rows) {
    assert.is(judge({ sequence: 20, content: 'a' }, now, isOrderly), verdict, JSON.stringify([now, isOrderly]));
  }
});

test('a mark comes back as it was written', () => {
  fc.assert(
    fc.property(commit, fc.boolean(), (at, isFinal) => {
      const mark = { uuid: 'lnDRAJ-kRez-SkRX-OOFx-yzcf-R8Fj-3K4q1a', ...at, isFinal };
      assert.equal(readMark(writeMark(mark)), mark);
    }),
  );
});

test('what is not such a mark is not understood', () => {
  for (const text of [
    '',
    'x',
    '2 uuid 20 1:2',
    '1 uuid 20',
    '1 uuid twenty 1:2',
    '1 uuid 20 1:2 closed',
    '1  20 1:2',
  ]) {
    assert.is(readMark(text), undefined, text);
  }
});

test.run();
