import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Volume } from '../../../core/capabilities/storage.ts';
import {
  intentNote,
  newNotes,
  ownerNote,
  readEntry,
  replaceNotes,
  stateOf,
  toDisk,
  withLater,
} from '../../../core/disks/entry.ts';

const place = { node: 'n1', boot: 'b1' };
const volume = (notes: Volume['notes'], size = 1024n): Volume => ({
  pool: 'p',
  name: 'd',
  size,
  path: '/dev/p/d',
  notes,
});
const made = (extra: Volume['notes'] = {}) =>
  volume({ ...newNotes({ id: 'i1', format: 'qcow2', virtualSize: 4096n }, place), ...extra });

test('notes read back as the disk that they were made for', () => {
  const entry = readEntry(made());
  assert.equal([entry?.id, entry?.format, entry?.virtualSize, entry?.on], ['i1', 'qcow2', 4096n, [place]]);
  assert.is(entry && stateOf(entry), 'ready');
});

test('a volume without our notes is nobody of ours', () => {
  assert.is(readEntry(volume({})), undefined);
  assert.is(readEntry(volume({ v: ['1'] })), undefined);
});

test("a raw disk's guest sees its volume, whatever the note says", () => {
  const entry = readEntry(volume({ v: ['1'], disk: ['i'], fmt: ['raw'], vsize: ['7'] }, 8192n));
  assert.is(entry?.virtualSize, 8192n);
});

test('a later format is told apart', () => assert.is(readEntry(made({ v: ['2'] }))?.isNewer, true));

test('an intent gives the state its name, and one that is not known is never ended by us', () => {
  const stateWith = (op: string) => {
    const entry = readEntry(made({ op: [op] }));
    return entry && stateOf(entry);
  };
  assert.is(stateWith('create/n1/b1/x'), 'creating');
  assert.is(stateWith('resize/n1/b1/x/4096'), 'resizing');
  assert.is(stateWith('defrost/n1/b1/x'), 'moving');
});

test('any VM name survives, slashes too', () => {
  fc.assert(
    fc.property(fc.string(), (vmName) => {
      const owner = readEntry(made({ own: [ownerNote({ vm: 'u', target: 'vdb', vmName })] }))?.owner;
      assert.equal(owner, { vm: 'u', target: 'vdb', vmName });
    }),
  );
});

test('an intent survives with its detail', () => {
  const intent = { operation: 'resize', node: 'n', boot: 'b', id: 'r', detail: '42' } as const;
  assert.equal(readEntry(made({ op: [intentNote(intent)] }))?.intent, intent);
});

test('replacing notes adds what is missing, drops what is surplus, and is nothing the second time', () => {
  const before = made({ own: ['a/b/c'] });
  const change = replaceNotes(before, { own: ['x/y/z'], op: [], on: ['n1/b1'] });
  assert.equal(change, { add: { own: ['x/y/z'] }, drop: { own: ['a/b/c'] } });
  assert.equal(replaceNotes(made({ own: ['x/y/z'] }), { own: ['x/y/z'] }), { add: {}, drop: {} });
});

test('callers see mode, owner and times', () => {
  const entry = readEntry(made({ own: ['u/vdb/web'], ro: ['1'], extended: ['1000'] }));
  const disk = entry && toDisk(entry);
  assert.equal([disk?.mode, disk?.owner?.vmName, disk?.owner?.readOnly], ['thin', 'web', true]);
  assert.equal(disk?.lastExtendedAt, new Date(1_000_000));
});

test('the largest of several ends counts, and words that are no bytes do not', () => {
  assert.is(readEntry(made({ end: ['7', '12', 'x'] }))?.end, 12n);
  assert.is(readEntry(made({ end: ['-1'] }))?.end, undefined);
  assert.is(readEntry(made())?.end, undefined);
  assert.is(
    readEntry(volume({ v: ['1'], disk: ['i'], fmt: ['raw'], end: ['7'] }))?.end,
    undefined,
    'a raw disk has none',
  );
});

test('keys with one dot are settings, and no others are', () => {
  const entry = readEntry(made({ 'a.b': ['x'], 'a.b.c': ['y'], 'A.b': ['z'], plain: ['w'] }));
  assert.equal(entry?.settings, { 'a.b': 'x' });
});

test('later notes replace earlier ones, but for an end, which never goes back', () => {
  const notes = { end: ['9'], extended: ['1'], other: ['o'] };
  assert.equal(withLater(notes, { end: ['5'], extended: ['2'] }), { end: ['9'], extended: ['2'], other: ['o'] });
  assert.equal(withLater(notes, { end: ['11'] }), { ...notes, end: ['11'] });
  assert.equal(withLater({}, {}), {});
});

test.run();
