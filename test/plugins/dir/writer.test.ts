import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Format, Turn, Volume, Writer } from '../../../core/capabilities/storage.ts';
import { asSltvError } from '../../../core/errors.ts';
import { createRunner, type Finished, type Runner } from '../../../core/run.ts';
import { GiB, KiB, MiB } from '../../../core/units.ts';
import { type DirStorageOptions, dirStorage, firstPool, makeDirectory } from '../../fixtures/dir-storage.ts';

const never = new AbortController().signal;

async function poolWith(options: DirStorageOptions = {}) {
  const made = await makeDirectory();
  const pool = await firstPool(dirStorage({ disks: made.directory }, options));
  const change = <T>(work: (writer: Writer) => Promise<T>) => pool.change({ signal: never }, work);
  const create = (name: string, size: bigint, format: Format = 'raw'): Promise<Volume> =>
    change((writer) => writer.create({ name, size, notes: { v: ['1'] }, format, active: true }));
  return { ...made, pool, change, create };
}

const errorOf = async (promise: Promise<unknown>) => asSltvError(await promise.catch((error: unknown) => error));
const takenBy = async (path: string) => BigInt((await stat(path)).blocks) * 512n;
const catalogue = async (directory: string) =>
  (await readdir(join(directory, '.sltv'))).filter((name) => name.endsWith('.json'));

/** A runner whose fallocate ends as given. */
const runnerWith = (ends: Partial<Finished>): Runner => {
  const none = (): never => {
    throw new Error('a directory pool runs nothing but fallocate');
  };
  const write = async () => ({ code: 0, stdout: '', stderr: '', report: '', ...ends });
  return { read: none, lines: none, orphans: none, quiet: none, write };
};

test('a raw volume has its size at once, and its room', async () => {
  await using made = await poolWith();
  const volume = await made.create('a', 3n * MiB + 1n);
  assert.is(volume.size, 3n * MiB + 64n * KiB);
  assert.is(BigInt((await stat(volume.path)).size), volume.size);
  assert.ok((await takenBy(volume.path)) >= volume.size);
  const grown = await made.change((writer) => writer.extend('a', 5n * MiB));
  assert.is(BigInt((await stat(volume.path)).size), grown.size);
  assert.ok((await takenBy(volume.path)) >= grown.size);
});

test('a raw volume that is extended keeps its data, and reads as zeroes behind it', async () => {
  await using made = await poolWith();
  const { path, size } = await made.create('a', MiB);
  await writeFile(path, Buffer.alloc(Number(size), 'x'));
  await made.change((writer) => writer.extend('a', 2n * MiB));
  const data = await readFile(path);
  assert.ok(data.subarray(0, Number(size)).every((byte) => byte === 0x78));
  assert.ok(data.subarray(Number(size)).every((byte) => byte === 0));
});

test('a qcow2 volume takes no room before it is written, and has what it was promised for a size', async () => {
  await using made = await poolWith();
  const volume = await made.create('a', 100n * MiB, 'qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', volume.path, '1G']);
  assert.ok((await takenBy(volume.path)) < MiB);
  assert.equal(await made.pool.volumes(never), [volume]);
  const grown = await made.change((writer) => writer.extend('a', 200n * MiB));
  assert.is(grown.size, 200n * MiB);
  assert.ok((await takenBy(volume.path)) < MiB);
});

test('a qcow2 volume that outgrew what it was promised is as large as it is', async () => {
  await using made = await poolWith();
  const { path } = await made.create('a', MiB, 'qcow2');
  await truncate(path, 3_000_000);
  assert.is((await made.pool.volumes(never))[0]?.size, 3_000_000n);
  const grown = await made.change((writer) => writer.extend('a', 4n * MiB));
  assert.is(grown.size, 4n * MiB);
});

test('what is promised is free no more, and not counted again as it is written', async () => {
  await using made = await poolWith();
  const free = async () => (await made.pool.facts(never)).free;
  const before = await free();
  const { path } = await made.create('a', 2048n * MiB, 'qcow2');
  // Others use this file system too.
  const isPromise = (bytes: bigint) => bytes > 1536n * MiB && bytes < 2560n * MiB;
  const promised = before - (await free());
  assert.ok(isPromise(promised), `${promised}`);
  await writeFile(path, Buffer.alloc(Number(64n * MiB), 1));
  const [volume] = await made.pool.volumes(never);
  assert.is(volume?.size, 2048n * MiB);
  const written = before - (await free());
  assert.ok(isPromise(written), `${written}`);
});

test('a removal that can’t take the file away keeps what is known of it', async () => {
  await using made = await poolWith();
  const { path } = await made.create('a', MiB);
  await rm(path);
  await mkdir(path);
  await errorOf(made.change((writer) => writer.remove('a')));
  assert.equal(await catalogue(made.directory), ['a.json']);
  await rm(path, { recursive: true });
  await made.change((writer) => writer.remove('a'));
  assert.equal(await catalogue(made.directory), []);
});

test('creation is known to the catalogue before there is a file, and the file has its size last', async () => {
  await using locks = await makeDirectory();
  const real = createRunner({ lockDirectory: locks.directory });
  const seen: unknown[] = [];
  const look = async () => {
    const [volume] = await made.pool.volumes(never);
    const { size } = await stat(join(made.directory, 'a'));
    seen.push([await catalogue(made.directory), size, volume?.notes]);
  };
  const write: Runner['write'] = async (...command) => {
    await look();
    const done = await real.write(...command);
    await look();
    return done;
  };
  await using made = await poolWith({ run: { ...real, write } });
  await made.create('a', MiB);
  const whileItGrows = [['a.json'], 0, { v: ['1'] }];
  assert.equal(seen, [whileItGrows, whileItGrows]);
  assert.is((await stat(join(made.directory, 'a'))).size, Number(MiB));
});

test('a large volume takes its room in pieces, and whoever waits is told how far it is', async () => {
  const pieces: string[] = [];
  const write: Runner['write'] = async (_program, args) => {
    pieces.push(args.slice(1, 5).join(' '));
    return { code: 0, stdout: '', stderr: '', report: '' };
  };
  await using made = await poolWith({ run: { ...runnerWith({}), write } });
  const told: unknown[] = [];
  const turn: Turn = { signal: never, tell: ({ done, total }) => told.push([done, total]) };
  const size = 2n * GiB + MiB;
  const { size: got } = await made.pool.change(turn, (writer) =>
    writer.create({ name: 'a', size, notes: {}, format: 'raw', active: true }),
  );
  assert.is(got, size);
  const piece = (from: bigint, length: bigint) => `--offset ${from} --length ${length}`;
  assert.equal(pieces, [piece(0n, GiB), piece(GiB, GiB), piece(2n * GiB, MiB)]);
  assert.equal(told, [
    [0n, size],
    [GiB, size],
    [2n * GiB, size],
  ]);
});

test('a creation for which there is no room after all leaves nothing', async () => {
  const stderr = 'fallocate: fallocate failed: No space left on device\n';
  await using made = await poolWith({ run: runnerWith({ code: 1, stderr }) });
  const error = await errorOf(made.create('a', MiB));
  assert.equal([error.kind, error.code, error.cause], ['exhausted', 'dir/no-space', stderr]);
  assert.equal(await made.pool.volumes(never), []);
  assert.equal(await readdir(made.directory), ['.sltv']);
  assert.equal(await catalogue(made.directory), []);
});

test('an extension for which there is no room after all leaves the volume as it was', async () => {
  await using made = await poolWith();
  const volume = await made.create('a', MiB);
  const full = await firstPool(
    dirStorage(
      { disks: made.directory },
      { run: runnerWith({ code: 1, stderr: 'fallocate failed: Disk quota exceeded' }) },
    ),
  );
  const error = await errorOf(full.change({ signal: never }, (writer) => writer.extend('a', 2n * MiB)));
  assert.is(error.kind, 'exhausted');
  assert.equal(await full.volumes(never), [volume]);
});

test('a fallocate that fails in a way that nobody foresaw is told in its own words', async () => {
  await using made = await poolWith({
    run: runnerWith({ code: 1, stderr: 'fallocate failed: Structure needs cleaning' }),
  });
  const error = await errorOf(made.create('a', MiB));
  assert.equal([error.kind, error.code], ['internal', 'dir/tool-failed']);
  assert.match(error.message, /Structure needs cleaning/);
  assert.equal(await made.pool.volumes(never), []);
});

test('on a file system that can’t reserve, a raw volume is sparse, and the log says so', async () => {
  const said: string[] = [];
  const run = runnerWith({ code: 1, stderr: 'fallocate: fallocate failed: Operation not supported\n' });
  await using made = await poolWith({ run, write: (line) => said.push(line) });
  const volume = await made.create('a', 3n * MiB);
  assert.is(volume.size, 3n * MiB);
  assert.is(BigInt((await stat(volume.path)).size), 3n * MiB);
  assert.match(said.join(''), /reserves no room/);
});

test('a disk made half when the daemon died is listed, can’t be extended, and is removed', async () => {
  for (const hasFile of [false, true]) {
    await using made = await poolWith();
    const volume = await made.create('a', MiB);
    // As a crash after the first step leaves it, and after the second.
    await rm(volume.path);
    if (hasFile) await writeFile(volume.path, '');
    const [left] = await made.pool.volumes(never);
    assert.equal([left?.name, left?.size, left?.notes], ['a', 0n, { v: ['1'] }]);
    assert.is((await errorOf(made.create('a', MiB))).kind, 'exists');
    if (!hasFile) {
      const error = await errorOf(made.change((writer) => writer.extend('a', MiB)));
      assert.equal([error.kind, error.code], ['not-found', 'dir/file-missing']);
      const activating = made.change((writer) => writer.annotate('a', { add: { on: ['n1/b1'] }, activate: true }));
      assert.is((await errorOf(activating)).code, 'dir/file-missing');
      assert.equal((await made.pool.volumes(never))[0]?.notes, { v: ['1'] });
    }
    await made.change((writer) => writer.remove('a'));
    assert.equal(await made.pool.volumes(never), []);
    assert.equal(await catalogue(made.directory), []);
  }
});

test('whatever lies at a volume’s path is left alone', async () => {
  await using made = await poolWith();
  await mkdir(join(made.directory, 'folder'));
  await symlink('/etc/passwd', join(made.directory, 'link'));
  await symlink('/nowhere', join(made.directory, 'broken'));
  for (const name of ['folder', 'link', 'broken']) {
    assert.is((await errorOf(made.create(name, MiB))).kind, 'exists', name);
    await made.change((writer) => writer.remove(name));
    await lstat(join(made.directory, name));
  }
  assert.equal(await made.pool.volumes(never), []);
  assert.equal(await catalogue(made.directory), []);
});

test.run();
