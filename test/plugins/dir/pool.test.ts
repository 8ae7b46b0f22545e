import { access, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { NewVolume, Pool } from '../../../core/capabilities/storage.ts';
import { asSltvError } from '../../../core/errors.ts';
import { DIR_NODE, dirStorage, firstPool, makeDirectory } from '../../fixtures/dir-storage.ts';

const never = new AbortController().signal;
const elsewhere = { ...DIR_NODE, machineId: 'fedcba9876543210fedcba9876543210' };
const small = (name: string): NewVolume => ({ name, size: 1n, notes: { v: ['1'] }, format: 'raw', active: false });
const create = (pool: Pool, name: string) => pool.change({ signal: never }, (writer) => writer.create(small(name)));
const errorOf = async (promise: Promise<unknown>) => asSltvError(await promise.catch((error: unknown) => error));

async function poolIn(directory: string, node = DIR_NODE): Promise<Pool> {
  return firstPool(dirStorage({ disks: directory }, { node }));
}

test('two processes with the same pool have their turns one after the other', async () => {
  await using made = await makeDirectory();
  const daemon = await poolIn(made.directory);
  const hook = await poolIn(made.directory);
  let inside = 0;
  const work = async () => {
    inside += 1;
    for (let round = 0; round < 20; round += 1) await turnOfTheLoop();
    await access(made.directory);
    assert.is(inside, 1);
    inside -= 1;
  };
  const both = [daemon, hook, daemon, hook].map((pool) => pool.change({ signal: never }, work));
  await Promise.all(both);
});

test('who waits for another process can give up', async () => {
  await using made = await makeDirectory();
  const daemon = await poolIn(made.directory);
  const hook = await poolIn(made.directory);
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const turn = daemon.change({ signal: never }, () => {
    begun.resolve();
    return ended.promise;
  });
  await begun.promise;
  const error = await errorOf(hook.change({ signal: AbortSignal.timeout(50) }, async () => assert.unreachable()));
  assert.is(error.kind, 'timeout');
  ended.resolve();
  await turn;
});

test('the first change marks the pool as this host’s; reading does not', async () => {
  await using made = await makeDirectory();
  const pool = await poolIn(made.directory);
  await pool.facts(never);
  await pool.volumes(never);
  assert.equal(await readdir(made.directory), []);
  await create(pool, 'a');
  const marker = JSON.parse(await readFile(join(made.directory, '.sltv/pool'), 'utf8'));
  assert.equal(marker, { format: 1, lock: `local/${DIR_NODE.machineId}` });
});

test('a pool of another host is shown and never written', async () => {
  await using made = await makeDirectory();
  await create(await poolIn(made.directory, elsewhere), 'theirs');
  const before = await readdir(made.directory, { recursive: true });
  const pool = await poolIn(made.directory);
  assert.match(
    (await pool.facts(never)).readOnlyBecause ?? '',
    new RegExp(`local/${elsewhere.machineId}, not to this`),
  );
  assert.equal(
    (await pool.volumes(never)).map(({ name, notes }) => [name, notes]),
    [['theirs', { v: ['1'] }]],
  );
  const error = await errorOf(create(pool, 'ours'));
  assert.equal([error.kind, error.code], ['refused', 'dir/other-domain']);
  assert.match(error.hint ?? '', `rm ${made.directory}/.sltv/pool`);
  assert.equal(await readdir(made.directory, { recursive: true }), before);
});

for (const [what, text, kind] of [
  ['a newer sltv', JSON.stringify({ format: 2, lock: `local/${DIR_NODE.machineId}` }), 'unsupported'],
  ['nobody knows whom', '{ "format": 1,', 'refused'],
] as const) {
  test(`a pool that was marked by ${what} is not written`, async () => {
    await using made = await makeDirectory();
    const marker = join(made.directory, '.sltv/pool');
    await mkdir(join(made.directory, '.sltv'));
    await writeFile(marker, text);
    const pool = await poolIn(made.directory);
    assert.is((await errorOf(create(pool, 'a'))).kind, kind);
    assert.ok((await pool.facts(never)).readOnlyBecause);
    assert.is(await readFile(marker, 'utf8'), text);
    assert.equal(await readdir(made.directory), ['.sltv']);
  });
}

test('a directory that went away is `unavailable`, and is not made anew', async () => {
  await using made = await makeDirectory();
  const pool = await poolIn(made.directory);
  await rm(made.directory, { recursive: true });
  for (const call of [() => pool.facts(never), () => pool.volumes(never), () => create(pool, 'a')]) {
    const error = await errorOf(call());
    assert.equal([error.kind, error.code], ['unavailable', 'dir/pool-missing']);
  }
  assert.is(await access(made.directory).catch(() => 'gone'), 'gone');
});

test('a directory that can’t be written is refused as such', async () => {
  // Nobody makes directories in sysfs, not even root.
  const error = await errorOf(create(await poolIn('/sys/kernel'), 'a'));
  assert.equal([error.kind, error.code], ['refused', 'dir/read-only']);
});

test('a file that is gone is not active, and can’t be activated', async () => {
  await using made = await makeDirectory();
  const pool = await poolIn(made.directory);
  const volume = await create(pool, 'a');
  await rm(volume.path);
  assert.is(await pool.isActive(volume), false);
  const error = await errorOf(pool.activate('a', never));
  assert.equal([error.kind, error.code], ['not-found', 'dir/file-missing']);
});

test('nobody but the owner can look into the catalogue', async () => {
  await using made = await makeDirectory();
  const volume = await create(await poolIn(made.directory), 'a');
  const { mode: catalogue } = await stat(join(made.directory, '.sltv'));
  const { mode: file } = await stat(volume.path);
  assert.equal([catalogue & 0o777, file & 0o777], [0o700, 0o600]);
});

test.run();
