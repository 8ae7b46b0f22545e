import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Volume } from '../../../core/capabilities/storage.ts';
import { createKnown } from '../../../core/disks/known.ts';

const volume: Volume = {
  pool: 'vg0',
  name: 'a',
  size: 4096n,
  path: '/dev/vg0/a',
  notes: { v: ['1'], disk: ['id-a'], fmt: ['raw'] },
};

test('a volume that is handed out again is read once, and another one of that name anew', () => {
  const known = createKnown();
  const entry = known.entryOf(volume);
  assert.is(entry?.id, 'id-a');
  assert.is(known.entryOf(volume), entry);
  const grown = known.entryOf({ ...volume, size: 8192n });
  assert.is(grown?.virtualSize, 8192n);
});

test('what is no disk of ours stays so', () => {
  const known = createKnown();
  const foreign = { ...volume, notes: {} };
  assert.equal([known.entryOf(foreign), known.entryOf(foreign)], [undefined, undefined]);
});

test('the disk of an entry is one value', () => {
  const known = createKnown();
  const entry = known.entryOf(volume);
  if (!entry) throw new Error('it is a disk');
  assert.is(known.diskOf(entry), known.diskOf(entry));
  assert.is(known.diskOf(entry).size, 4096n);
});

test.run();
