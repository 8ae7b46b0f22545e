// Volumes of a pool: made, found, grown, taken away.
import assert from 'node:assert/strict';
import { isAbsolute } from 'node:path';
import type { Format } from '../../capabilities/storage.ts';
import { roundUp } from '../../units.ts';
import { type Check, never, rejects } from '../case.ts';
import type { StorageUnderTest } from '../storage.ts';
import { change, create, list, newVolume } from './steps.ts';

const FORMATS: readonly Format[] = ['raw', 'qcow2'];

/** Names that no storage can give a path to. */
const IMPOSSIBLE = ['', '.', '..', 'a/b', '../a', 'a\0b', 'x'.repeat(300)];
/** Names that every storage takes. */
const GOOD = ['a', 'A', '0', 'web01-data', 'db_2024.old', 'x'.repeat(63)];

export const volumeChecks: Readonly<Record<string, Check<StorageUnderTest>>> = {
  async 'the pool is listed by its storage, once'({ storage, pool }) {
    for (const pools of [await storage.pools(never), await storage.pools(never)]) {
      assert.equal(pools.filter(({ name }) => name === pool.name).length, 1);
      const names = pools.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length, 'two pools share a name');
      const seen = storage.seen?.() ?? pools;
      assert.deepEqual(
        seen.map(({ name }) => name),
        names,
        'it remembers other pools than it answered with',
      );
    }
    assert.ok(storage.kind !== '' && pool.kind !== '');
  },

  async 'the facts of a pool agree with each other'({ pool }) {
    const facts = await pool.facts(never);
    assert.ok(facts.extent > 0n, `extent is ${facts.extent}`);
    assert.ok(facts.free >= 0n && facts.free <= facts.size, `${facts.free} of ${facts.size} bytes are free`);
    assert.ok(facts.devices.length > 0, 'a pool stands on something');
    assert.equal(facts.readOnlyBecause, undefined);
  },

  async 'in an empty pool nothing is found'({ pool }) {
    assert.deepEqual(await list(pool), []);
    assert.equal(await change(pool, (writer) => writer.find('a')), undefined);
    assert.deepEqual(await change(pool, (writer) => writer.volumes()), []);
  },

  async 'a volume is found as it was made'({ pool }) {
    const made = await create(pool, newVolume('a', { notes: { v: ['1'] } }));
    assert.equal(made.name, 'a');
    assert.equal(made.pool, pool.name);
    assert.deepEqual(made.notes, { v: ['1'] });
    assert.ok(isAbsolute(made.path), `${made.path} is no absolute path`);
    assert.deepEqual(await list(pool), [made]);
    assert.deepEqual(await change(pool, (writer) => writer.find('a')), made);
    assert.deepEqual(await change(pool, (writer) => writer.volumes()), [made]);
  },

  async 'volumes are listed by name'({ pool }) {
    for (const name of ['b', 'c', 'a']) await create(pool, newVolume(name));
    assert.deepEqual(await names(pool), ['a', 'b', 'c']);
    const paths = (await list(pool)).map(({ path }) => path);
    assert.equal(new Set(paths).size, 3, 'two volumes share a path');
  },

  async 'a size is rounded up to the extent'({ pool }) {
    const { extent } = await pool.facts(never);
    for (const format of FORMATS) {
      for (const [index, size] of [1n, extent, extent + 1n].entries()) {
        const made = await create(pool, newVolume(`${format}${index}`, { size, format }));
        assert.equal(made.size, roundUp(size, extent), `${format} of ${size} bytes`);
      }
    }
  },

  async 'a name that is taken is `exists`, and its volume stays as it was'({ pool }) {
    const made = await create(pool, newVolume('a', { notes: { v: ['1'] } }));
    await rejects('exists', create(pool, newVolume('a', { size: made.size * 2n, notes: { v: ['2'] } })));
    assert.deepEqual(await list(pool), [made]);
  },

  async 'a name that can’t be is `invalid`, and nothing is made'({ pool }) {
    for (const name of IMPOSSIBLE) await rejects('invalid', create(pool, newVolume(name)));
    assert.deepEqual(await list(pool), []);
  },

  async 'a pool objects in a sentence to what can’t be, and to nothing else'({ pool }) {
    if (!pool.objectsTo) return;
    for (const name of IMPOSSIBLE) assert.match(pool.objectsTo(name) ?? '', /\S \S/, `no objection to '${name}'`);
    for (const name of GOOD) assert.equal(pool.objectsTo(name), undefined, `an objection to '${name}'`);
  },

  async 'good names are taken'({ pool }) {
    for (const name of GOOD) assert.equal((await create(pool, newVolume(name))).name, name);
    assert.deepEqual(await names(pool), GOOD.toSorted());
  },

  async 'more than the pool has is `exhausted`, and nothing is made'({ pool }) {
    const { size, extent } = await pool.facts(never);
    for (const format of FORMATS) {
      await rejects('exhausted', create(pool, newVolume('a', { size: size + extent, format })));
      assert.deepEqual(await list(pool), []);
    }
  },

  async 'what is promised to one volume is free for no other, until it is removed'({ pool }) {
    // qcow2, so that a pool which takes room only as it fills is not filled for this.
    const most = (name: string, free: bigint) => newVolume(name, { size: (free * 2n) / 3n, format: 'qcow2' });
    const { free } = await pool.facts(never);
    await create(pool, most('a', free));
    assert.ok((await pool.facts(never)).free < free / 2n, 'what is promised still counts as free');
    await rejects('exhausted', create(pool, most('b', free)));
    await change(pool, (writer) => writer.remove('a'));
    await create(pool, most('b', free));
  },

  async 'extending grows, twice is once, and keeps the rest'({ pool }) {
    const { extent } = await pool.facts(never);
    for (const format of FORMATS) {
      const made = await create(pool, newVolume(format, { format, notes: { v: ['1'] } }));
      for (const _ of ['first', 'again']) {
        const grown = await change(pool, (writer) => writer.extend(format, extent * 2n + 1n));
        assert.deepEqual(grown, { ...made, size: extent * 3n });
        assert.deepEqual(await find(pool, format), grown);
      }
    }
  },

  async 'extending never shrinks'({ pool }) {
    const { extent } = await pool.facts(never);
    const made = await create(pool, newVolume('a', { size: extent * 3n }));
    assert.deepEqual(await change(pool, (writer) => writer.extend('a', extent)), made);
    assert.deepEqual(await find(pool, 'a'), made);
  },

  async 'extending what isn’t there is `not-found`'({ pool }) {
    await rejects(
      'not-found',
      change(pool, (writer) => writer.extend('a', 1n)),
    );
    assert.deepEqual(await list(pool), []);
  },

  async 'extending beyond the pool is `exhausted`, and leaves the volume as it was'({ pool }) {
    const { size, extent } = await pool.facts(never);
    for (const format of FORMATS) {
      const made = await create(pool, newVolume(format, { format }));
      await rejects(
        'exhausted',
        change(pool, (writer) => writer.extend(format, size + extent)),
      );
      assert.deepEqual(await find(pool, format), made);
    }
  },

  async 'a removed volume is gone, twice is once, and the others stay'({ pool }) {
    await create(pool, newVolume('a'));
    const other = await create(pool, newVolume('b'));
    for (const _ of ['first', 'again']) {
      await change(pool, (writer) => writer.remove('a'));
      assert.deepEqual(await list(pool), [other]);
    }
    assert.equal(await change(pool, (writer) => writer.find('a')), undefined);
  },

  async 'a name that is free again brings nothing back'({ pool }) {
    await create(pool, newVolume('a', { size: 1n, notes: { v: ['1'], old: ['1'] } }));
    await change(pool, (writer) => writer.remove('a'));
    const again = await create(pool, newVolume('a', { notes: { v: ['2'] } }));
    assert.deepEqual(again.notes, { v: ['2'] });
    assert.deepEqual(await list(pool), [again]);
  },

  async 'a turn sees at once what it has done itself'({ pool }) {
    const [made, grown, noted, gone] = await change(pool, async (writer) => {
      const created = await writer.create(newVolume('a'));
      const found = [await writer.find('a'), created];
      const extended = [await writer.extend('a', created.size + 1n), await writer.find('a')];
      const annotated = [await writer.annotate('a', { add: { more: ['1'] } }), (await writer.volumes())[0]];
      await writer.remove('a');
      return [found, extended, annotated, [await writer.find('a'), undefined]];
    });
    for (const [seen, expected] of [made, grown, noted, gone]) assert.deepEqual(seen, expected);
  },
};

const find = async (pool: StorageUnderTest['pool'], name: string) =>
  (await list(pool)).find((volume) => volume.name === name);
const names = async (pool: StorageUnderTest['pool']) => (await list(pool)).map(({ name }) => name);
