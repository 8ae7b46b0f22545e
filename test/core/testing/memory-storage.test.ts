// The faults of the storage in memory, on which core's crash tests rest.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Storage, Writer } from '../../../core/capabilities/storage.ts';
import { Died, type Fault, memoryStorage, memoryWorld } from '../../fixtures/memory-storage.ts';

const never = new AbortController().signal;

/** Makes a volume and annotates it: two commits, of which the second one has the fault. */
async function lifeWith(fault: Fault) {
  const world = memoryWorld();
  const storage = memoryStorage(world, fault);
  const work = async (writer: Writer) => {
    await writer.create({ name: 'a', size: 1n, notes: { v: ['1'] }, format: 'raw', active: true });
    await writer.annotate('a', { add: { op: ['x'] } });
  };
  const [pool] = await storage.pools(never);
  if (!pool) throw new Error('the world has no pool');
  const thrown = await pool.change({ signal: never }, work).catch((error: unknown) => error);
  return { world, storage, pool, thrown };
}

const notesIn = async (storage: Storage) => {
  const [pool] = await storage.pools(never);
  return (await pool?.volumes(never))?.map(({ notes }) => notes);
};

for (const [how, made] of [
  ['fail', false],
  ['lose', true],
] as const) {
  test(`a commit that shall ${how} throws, is ${made ? 'made' : 'not made'}, and life goes on`, async () => {
    const { world, storage, pool, thrown } = await lifeWith({ at: 2, how });
    assert.is((thrown as { kind?: unknown }).kind, 'unavailable');
    assert.is(storage.hasDied(), false);
    assert.equal(await notesIn(storage), [made ? { op: ['x'], v: ['1'] } : { v: ['1'] }]);
    await pool.change({ signal: never }, (writer) => writer.annotate('a', { add: { op: ['y'] } }));
    assert.is(world.commits.length, made ? 3 : 2);
  });
}

for (const [how, made] of [
  ['die-before', false],
  ['die-after', true],
] as const) {
  test(`whoever shall ${how} a commit does nothing any more, and leaves it ${made ? 'made' : 'not made'}`, async () => {
    const { world, storage, pool, thrown } = await lifeWith({ at: 2, how });
    assert.instance(thrown, Died);
    assert.is(storage.hasDied(), true);
    for (const call of [
      () => storage.pools(never),
      () => pool.volumes(never),
      () => pool.facts(never),
      () => pool.activate('a', never),
      () => pool.deactivate('a', never),
      () => pool.change({ signal: never }, (writer) => writer.remove('a')),
    ]) {
      assert.instance(await call().catch((error: unknown) => error), Died);
    }
    assert.equal(await notesIn(memoryStorage(world)), [made ? { op: ['x'], v: ['1'] } : { v: ['1'] }]);
  });
}

test('a fault that is never reached changes nothing', async () => {
  const { world, thrown } = await lifeWith({ at: 3, how: 'die-before' });
  assert.is(thrown, undefined);
  assert.equal(world.commits, ['create mem/a', 'annotate mem/a']);
});

test('what was active is not after a reboot, and what was open is closed', async () => {
  const { world, pool } = await lifeWith({ at: 99, how: 'fail' });
  const [volume] = await pool.volumes(never);
  if (!volume) throw new Error('there is no volume');
  world.hold(volume);
  assert.is(await pool.isActive(volume), true);
  await world.reboot();
  assert.is(await pool.isActive(volume), false);
  await pool.change({ signal: never }, (writer) => writer.remove('a'));
});

test.run();
