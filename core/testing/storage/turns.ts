// Turns: who may commit, and when.
import assert from 'node:assert/strict';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { Pool, Turn, Writer } from '../../capabilities/storage.ts';
import { type Check, never, rejects } from '../case.ts';
import type { StorageUnderTest } from '../storage.ts';
import { change, create, list, newVolume } from './steps.ts';

export const turnChecks: Readonly<Record<string, Check<StorageUnderTest>>> = {
  async 'what a turn answers comes out'({ pool }) {
    assert.equal(await change(pool, async () => 'answer'), 'answer');
  },

  async 'one has the turn at a time'({ pool }) {
    let inside = 0;
    let most = 0;
    const work = async (writer: Writer) => {
      inside += 1;
      most = Math.max(most, inside);
      await writer.volumes();
      await turnOfTheLoop();
      inside -= 1;
    };
    await Promise.all([change(pool, work), change(pool, work), change(pool, work)]);
    assert.equal(most, 1, 'two had the turn at once');
  },

  async 'extensions go first, the fullest foremost, then everything else in order of arrival'({ pool }) {
    const { end } = await begin(pool);
    const served: string[] = [];
    const queue = (name: string, urgency?: Turn['urgency']) =>
      pool.change({ signal: never, urgency }, async () => void served.push(name));
    const all = [
      queue('create'),
      queue('delete'),
      queue('calm', { secondsToFull: 600 }),
      queue('urgent', { secondsToFull: 1 }),
      queue('soon', { secondsToFull: 30 }),
    ];
    await turnOfTheLoop();
    await end();
    await Promise.all(all);
    assert.deepEqual(served, ['urgent', 'soon', 'calm', 'create', 'delete']);
  },

  async 'what the work throws comes out, what it committed stays, and the next has its turn'({ pool }) {
    const thrown = new Error('the work failed');
    const work = change(pool, async (writer) => {
      await writer.create(newVolume('a'));
      throw thrown;
    });
    assert.equal(await work.catch((error: unknown) => error), thrown);
    assert.deepEqual(
      (await list(pool)).map(({ name }) => name),
      ['a'],
    );
    await create(pool, newVolume('b'));
  },

  async 'a turn whose signal fires while it waits never begins, and holds up nobody'({ pool }) {
    const { end } = await begin(pool);
    const patience = new AbortController();
    let begun = false;
    const impatient = pool.change({ signal: patience.signal }, async () => {
      begun = true;
    });
    const behind = change(pool, async () => 'served');
    patience.abort();
    await rejects('cancelled', impatient);
    await end();
    assert.equal(await behind, 'served');
    assert.equal(begun, false, 'it began after its signal');
  },

  async 'a turn whose signal has fired never begins'({ pool }) {
    let begun = false;
    const late = pool.change({ signal: AbortSignal.abort() }, async () => {
      begun = true;
    });
    await rejects('cancelled', late);
    assert.equal(begun, false, 'it began after its signal');
  },

  async 'a signal that fires once the turn has begun leaves it to end'({ pool }) {
    const caller = new AbortController();
    await pool.change({ signal: caller.signal }, async (writer) => {
      caller.abort();
      await writer.create(newVolume('a'));
    });
    assert.equal((await list(pool)).length, 1);
  },

  async 'reading needs no turn'({ pool }) {
    await create(pool, newVolume('a'));
    const { end } = await begin(pool);
    assert.equal((await list(pool)).length, 1);
    assert.ok((await pool.facts(never)).size > 0n);
    await end();
  },

  async 'nothing can be committed after the turn, by the writer that it had'({ pool }) {
    await create(pool, newVolume('a'));
    const before = await list(pool);
    const { extent } = await pool.facts(never);
    const writer = await change(pool, async (given) => given);
    await assert.rejects(async () => writer.create(newVolume('b')));
    await assert.rejects(async () => writer.extend('a', extent * 2n));
    await assert.rejects(async () => writer.annotate('a', { add: { late: ['1'] } }));
    await assert.rejects(async () => writer.remove('a'));
    assert.deepEqual(await list(pool), before);
  },
};

/** Takes the turn until `end` is called. */
async function begin(pool: Pool): Promise<{ end(): Promise<void> }> {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const turn = change(pool, () => {
    begun.resolve();
    return ended.promise;
  });
  await Promise.race([begun.promise, turn]);
  return {
    end: () => {
      ended.resolve();
      return turn;
    },
  };
}
