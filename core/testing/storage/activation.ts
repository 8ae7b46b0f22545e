// Activation: paths that can be used on this host.
import assert from 'node:assert/strict';
import type { Pool } from '../../capabilities/storage.ts';
import { type Check, never, rejects } from '../case.ts';
import type { StorageUnderTest } from '../storage.ts';
import { change, create, list, newVolume } from './steps.ts';

type Checks = Readonly<Record<string, Check<StorageUnderTest>>>;

export const activationChecks = (activation: 'switched' | 'always'): Checks =>
  activation === 'switched' ? { ...common, ...switched } : { ...common, ...always };

const common: Checks = {
  async 'a volume that is created active is active'({ pool }) {
    await create(pool, newVolume('a', { active: true }));
    assert.equal(await isActive(pool, 'a'), true);
  },

  async 'activating twice is activating once'({ pool }) {
    await create(pool, newVolume('a'));
    for (const _ of ['first', 'again']) {
      await pool.activate('a', never);
      assert.equal(await isActive(pool, 'a'), true);
    }
  },

  async 'activating what isn’t there is `not-found`'({ pool }) {
    await rejects('not-found', pool.activate('a', never));
  },

  async 'a note that permits it may activate'({ pool }) {
    await create(pool, newVolume('a'));
    for (const _ of ['first', 'again']) {
      const { notes } = await change(pool, (writer) =>
        writer.annotate('a', { add: { on: ['n1/b1'] }, activate: true }),
      );
      assert.deepEqual(notes, { v: ['1'], on: ['n1/b1'] });
      assert.equal(await isActive(pool, 'a'), true);
    }
  },

  async 'an active volume is extended and annotated like any other, and stays active'({ pool }) {
    const { size } = await create(pool, newVolume('a', { active: true }));
    const grown = await change(pool, (writer) => writer.extend('a', size + 1n));
    assert.equal(grown.size, size * 2n);
    await change(pool, (writer) => writer.annotate('a', { add: { more: ['1'] } }));
    assert.equal(await isActive(pool, 'a'), true);
  },

  async 'a path has its volume’s size, also after the volume grew, and refreshing it twice is refreshing it once'({
    pool,
  }) {
    if (!pool.isCurrent || !pool.refresh) return;
    const made = await create(pool, newVolume('a', { active: true }));
    assert.equal(await pool.isCurrent(made), true);
    const grown = await change(pool, (writer) => writer.extend('a', made.size + 1n));
    for (const _ of ['first', 'again']) {
      await pool.refresh('a', never);
      assert.equal(await pool.isCurrent(grown), true);
    }
    assert.equal(await pool.isCurrent({ ...grown, size: grown.size * 2n }), false);
  },

  async 'an active volume that nobody has open is removed, and its path is gone'({ pool }) {
    const volume = await create(pool, newVolume('a', { active: true }));
    await change(pool, (writer) => writer.remove('a'));
    assert.deepEqual(await list(pool), []);
    assert.equal(await pool.isActive(volume), false);
  },
};

const switched: Checks = {
  async 'a volume that is not created active is not'({ pool }) {
    await create(pool, newVolume('a', { active: false }));
    assert.equal(await isActive(pool, 'a'), false);
  },

  async 'deactivating twice is deactivating once, and concerns one volume'({ pool }) {
    await create(pool, newVolume('a', { active: true }));
    await create(pool, newVolume('b', { active: true }));
    for (const _ of ['first', 'again']) {
      await pool.deactivate('a', never);
      assert.equal(await isActive(pool, 'a'), false);
      assert.equal(await isActive(pool, 'b'), true);
    }
  },
};

const always: Checks = {
  async 'a volume’s path is there as long as the volume is'({ pool }) {
    await create(pool, newVolume('a', { active: false }));
    for (const _ of ['first', 'again']) {
      await pool.deactivate('a', never);
      assert.equal(await isActive(pool, 'a'), true);
    }
  },
};

async function isActive(pool: Pool, name: string): Promise<boolean> {
  const volume = (await list(pool)).find((candidate) => candidate.name === name);
  assert.ok(volume, `${name} is not listed`);
  return pool.isActive(volume);
}
