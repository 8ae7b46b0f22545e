// Notes: the catalogue.
import assert from 'node:assert/strict';
import type { Notes, Pool } from '../../capabilities/storage.ts';
import { type Check, never, rejects } from '../case.ts';
import type { StorageUnderTest } from '../storage.ts';
import { change, create, list, newVolume } from './steps.ts';

/** What must come back byte for byte. The long ones fill an LVM tag, in which an odd byte takes three characters. */
const VALUES: Readonly<Record<string, string>> = {
  empty: '',
  plain: 'create/node-1/4f2c9e3a-5d1f-4a0e-9c58-8f3f1f0c2b11/7',
  spaces: ' a  b ',
  lines: 'a\tb\nc\r\n',
  quotes: `"'\`\\$(id);|&#@,:!*?[]{}<>~`,
  escapes: '=41%41\\x41&amp;',
  equals: '=a=b=',
  dash: '-x --addtag',
  zero: '\0\x01\x1f\x7f',
  words: 'größe ☃ 日本語 👩‍🚀',
  long: 'x'.repeat(1000),
  'long-odd': ' '.repeat(330),
  'long-wide': 'ü'.repeat(165),
};

export const noteChecks: Readonly<Record<string, Check<StorageUnderTest>>> = {
  async 'notes come back as they were created'({ pool }) {
    const notes = Object.fromEntries(Object.entries(VALUES).map(([key, value]) => [key, [value]]));
    const made = await create(pool, newVolume('a', { notes }));
    assert.deepEqual(made.notes, notes);
    assert.deepEqual(await notesOf(pool, 'a'), notes);
  },

  async 'notes come back as they were annotated'({ pool }) {
    await create(pool, newVolume('a', { notes: {} }));
    for (const [key, value] of Object.entries(VALUES)) {
      await annotate(pool, 'a', { add: { [key]: [value] } });
      assert.deepEqual((await notesOf(pool, 'a'))[key], [value], `the note ${key}`);
    }
  },

  async 'a note may have several values, each once'({ pool }) {
    await create(pool, newVolume('a', { notes: { on: ['n1/b1', 'n2/b2', 'n1/b1'] } }));
    assert.deepEqual(sorted((await notesOf(pool, 'a')).on), ['n1/b1', 'n2/b2']);
    await annotate(pool, 'a', { add: { on: ['n3/b3', 'n2/b2'] } });
    assert.deepEqual(sorted((await notesOf(pool, 'a')).on), ['n1/b1', 'n2/b2', 'n3/b3']);
    await annotate(pool, 'a', { drop: { on: ['n1/b1', 'n3/b3'] } });
    assert.deepEqual((await notesOf(pool, 'a')).on, ['n2/b2']);
  },

  async 'adding and dropping go together, and twice is once'({ pool }) {
    await create(pool, newVolume('a', { notes: { v: ['1'], on: ['n1/b1'], op: ['attach'] } }));
    for (const _ of ['first', 'again']) {
      const after = await annotate(pool, 'a', { add: { on: ['n1/b2'] }, drop: { on: ['n1/b1'], op: ['attach'] } });
      assert.deepEqual(after.notes, { v: ['1'], on: ['n1/b2'] });
      assert.deepEqual(await notesOf(pool, 'a'), { v: ['1'], on: ['n1/b2'] });
    }
  },

  async 'only the value that is named is dropped'({ pool }) {
    await create(pool, newVolume('a', { notes: { v: ['1'], op: ['attach'] } }));
    await annotate(pool, 'a', { drop: { op: ['detach'], never: ['there'] } });
    assert.deepEqual(await notesOf(pool, 'a'), { v: ['1'], op: ['attach'] });
  },

  async 'notes are kept by whoever does not know them, and of one volume only'({ pool }) {
    const notes = { v: ['1'], 'from-the-future': ['yes'] };
    await create(pool, newVolume('a', { notes }));
    await create(pool, newVolume('b', { notes: { v: ['1'] } }));
    await annotate(pool, 'a', { add: { known: ['1'] } });
    await change(pool, (writer) => writer.extend('a', 1n));
    assert.deepEqual(await notesOf(pool, 'a'), { ...notes, known: ['1'] });
    assert.deepEqual(await notesOf(pool, 'b'), { v: ['1'] });
  },

  async 'no notes are made up'({ pool }) {
    const made = await create(pool, newVolume('a', { notes: {} }));
    assert.deepEqual(made.notes, {});
    assert.deepEqual(await notesOf(pool, 'a'), {});
  },

  async 'annotating what isn’t there is `not-found`'({ pool }) {
    await rejects('not-found', annotate(pool, 'a', { add: { v: ['1'] } }));
    await rejects('not-found', annotate(pool, 'a', { drop: { v: ['1'] } }));
    assert.deepEqual(await list(pool), []);
  },

  async 'all of a change is committed, or nothing'({ pool }) {
    await create(pool, newVolume('a', { notes: { v: ['1'] } }));
    // More than a tag can hold: kept whole, or refused whole.
    const tooMuch = { good: ['1'], long: ['x'.repeat(100_000)] };
    const annotated = await succeeds(annotate(pool, 'a', { add: tooMuch, drop: { v: ['1'] } }));
    assert.deepEqual(await notesOf(pool, 'a'), annotated ? tooMuch : { v: ['1'] });
    const created = await succeeds(create(pool, newVolume('b', { notes: tooMuch })));
    assert.deepEqual(
      (await list(pool)).filter(({ name }) => name === 'b').map(({ notes }) => notes),
      created ? [tooMuch] : [],
    );
  },

  async 'a pool that keeps notes of its own gives them back among its facts, each once, and nothing else changes'({
    pool,
  }) {
    if (!(await change(pool, async (writer) => writer.annotatePool !== undefined))) return;
    const volume = await create(pool, newVolume('a'));
    const own = async () => (await pool.facts(never)).notes ?? {};
    const before = await own();
    const note = (notes: { add?: Notes; drop?: Notes }) => change(pool, async (writer) => writer.annotatePool?.(notes));
    for (const _ of ['first', 'again']) {
      await note({ add: { fenced: ['n1/b1', 'größe ☃'] } });
      const { fenced, ...others } = await own();
      assert.deepEqual([sorted(fenced), others], [['größe ☃', 'n1/b1'], before]);
    }
    await note({ add: { fenced: ['n2/b2'] }, drop: { fenced: ['n1/b1', 'größe ☃'] } });
    assert.deepEqual((await own()).fenced, ['n2/b2']);
    await note({ drop: { fenced: ['n2/b2'] } });
    assert.deepEqual(await own(), before);
    assert.deepEqual(await list(pool), [volume]);
  },

  async 'the time and place of creation stay what they were'({ pool }) {
    const made = await create(pool, newVolume('a'));
    await annotate(pool, 'a', { add: { more: ['1'] } });
    const later = await change(pool, (writer) => writer.extend('a', made.size + 1n));
    assert.deepEqual([later.createdAt, later.createdOn], [made.createdAt, made.createdOn]);
    if (made.createdAt) assert.ok(Math.abs(Date.now() - made.createdAt.getTime()) < 3_600_000, `${made.createdAt}`);
  },
};

const annotate = (pool: Pool, name: string, notes: { add?: Notes; drop?: Notes }) =>
  change(pool, (writer) => writer.annotate(name, notes));

async function notesOf(pool: Pool, name: string): Promise<Notes> {
  const volume = (await list(pool)).find((candidate) => candidate.name === name);
  assert.ok(volume, `${name} is not listed`);
  return volume.notes;
}

const sorted = (values: readonly string[] | undefined) => [...(values ?? [])].sort();

const succeeds = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false,
  );
