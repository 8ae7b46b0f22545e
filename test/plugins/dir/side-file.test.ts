import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Pool, Writer } from '../../../core/capabilities/storage.ts';
import { asSltvError } from '../../../core/errors.ts';
import { DIR_NODE, dirStorage, firstPool, makeDirectory } from '../../fixtures/dir-storage.ts';

const never = new AbortController().signal;
const create = (name: string, format: 'raw' | 'qcow2') => (writer: Writer) =>
  writer.create({ name, size: 100_000n, notes: { v: ['1'], on: ['n1/b1', 'n2/b2'] }, format, active: false });

/** A pool, one of whose volumes has this for a side file. */
async function withSideFile(content: unknown) {
  const made = await makeDirectory();
  const said: string[] = [];
  const pool = await firstPool(
    dirStorage({ disks: made.directory }, { write: (line) => said.push(JSON.parse(line).message) }),
  );
  const path = join(made.directory, '.sltv/a.json');
  await mkdir(join(made.directory, '.sltv'));
  await writeFile(join(made.directory, 'a'), 'data');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  const change = <T>(work: (writer: Writer) => Promise<T>) => pool.change({ signal: never }, work);
  return { ...made, pool, path, said, change };
}

const errorOf = async (promise: Promise<unknown>) => asSltvError(await promise.catch((error: unknown) => error));
const listed = async (pool: Pool) => (await pool.volumes(never)).map(({ name, notes }) => [name, notes]);

test('a side file says what the volume is, for whoever reads it by hand', async () => {
  await using made = await makeDirectory();
  const pool = await firstPool(dirStorage({ disks: made.directory }));
  await pool.change({ signal: never }, create('thick', 'raw'));
  await pool.change({ signal: never }, create('thin', 'qcow2'));
  const read = async (name: string) => JSON.parse(await readFile(join(made.directory, `.sltv/${name}.json`), 'utf8'));
  const { createdAt, ...thick } = await read('thick');
  assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const notes = { v: ['1'], on: ['n1/b1', 'n2/b2'] };
  assert.equal(thick, { format: 1, createdOn: DIR_NODE.id, notes });
  const { createdAt: _, ...thin } = await read('thin');
  assert.equal(thin, { format: 1, createdOn: DIR_NODE.id, size: '131072', notes });
});

test('what a later version added to a side file of format 1 is kept', async () => {
  await using made = await withSideFile({ format: 1, notes: { v: ['1'] }, compressed: { by: 'zstd' } });
  await made.change((writer) => writer.annotate('a', { add: { op: ['x'] } }));
  assert.equal(JSON.parse(await readFile(made.path, 'utf8')), {
    format: 1,
    compressed: { by: 'zstd' },
    notes: { v: ['1'], op: ['x'] },
  });
});

for (const [what, content, kind, words] of [
  ['of a newer format', { format: 2, notes: [['v', '1']] }, 'unsupported', /newer sltv/],
  ['that is torn', '{ "format": 1, "notes": {', 'refused', /can't be read/],
  ['that is empty', '', 'refused', /can't be read/],
  ['whose notes are no lists', { format: 1, notes: { v: '1' } }, 'refused', /can't be read.*notes\.v/],
  ['whose size is no size', { format: 1, notes: {}, size: '10G' }, 'refused', /can't be read.*size/],
] as const) {
  test(`a volume with a side file ${what} is listed without notes, said once in the log, and never changed`, async () => {
    await using made = await withSideFile(content);
    const before = await readFile(made.path, 'utf8');
    assert.equal(await listed(made.pool), [['a', {}]]);
    await made.pool.volumes(never);
    assert.is(made.said.length, 1);
    assert.match(made.said[0] ?? '', words);
    for (const step of [
      (writer: Writer) => writer.annotate('a', { add: { v: ['1'] } }),
      (writer: Writer) => writer.extend('a', 1_000_000n),
      (writer: Writer) => writer.remove('a'),
    ]) {
      const error = await errorOf(made.change<unknown>(step));
      assert.is(error.kind, kind);
      assert.ok(error.hint);
    }
    assert.is((await errorOf(made.change(create('a', 'raw')))).kind, 'exists');
    assert.is(await readFile(made.path, 'utf8'), before);
    assert.is(await readFile(join(made.directory, 'a'), 'utf8'), 'data');
  });
}

test('a side file that a power cut left half-written beside the old one changes nothing', async () => {
  await using made = await withSideFile({ format: 1, notes: { v: ['1'] } });
  await writeFile(`${made.path}.new`, '{ "format": 1, "notes": { "v": ["1"], "o');
  assert.equal(await listed(made.pool), [['a', { v: ['1'] }]]);
  await made.change((writer) => writer.annotate('a', { add: { on: ['n1/b1'] } }));
  assert.equal(await listed(made.pool), [['a', { v: ['1'], on: ['n1/b1'] }]]);
});

test('a volume may be called like the catalogue’s own files', async () => {
  await using made = await makeDirectory();
  const pool = await firstPool(dirStorage({ disks: made.directory }));
  const names = ['a', 'a.json', 'a.json.new', 'lock', 'pool'];
  for (const name of names) await pool.change({ signal: never }, create(name, 'qcow2'));
  assert.equal(
    (await pool.volumes(never)).map(({ name }) => name),
    names,
  );
  assert.equal((await pool.facts(never)).readOnlyBecause, undefined);
});

test.run();
