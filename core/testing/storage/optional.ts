// What can be found out only with the help of who knows the storage from below.
import assert from 'node:assert/strict';
import type { Pool, Volume, Writer } from '../../capabilities/storage.ts';
import { asSltvError } from '../../errors.ts';
import { type Check, never, rejects } from '../case.ts';
import type { StorageUnderTest } from '../storage.ts';
import { change, create, list, newVolume } from './steps.ts';

type Checks<T> = Readonly<Record<string, Check<T>>>;

/** With a word that changes with every commit. */
export function commitChecks<T extends StorageUnderTest>(revision: (made: T) => Promise<string>): Checks<T> {
  const commits = async (made: T, work: (writer: Writer) => Promise<unknown>): Promise<boolean> => {
    const before = await revision(made);
    await change(made.pool, work);
    return (await revision(made)) !== before;
  };
  return {
    async 'each change is a commit, and none when the world is already so'(made) {
      const { extent } = await made.pool.facts(never);
      const steps: Readonly<Record<string, (writer: Writer) => Promise<unknown>>> = {
        extend: (writer) => writer.extend('a', extent * 2n),
        add: (writer) => writer.annotate('a', { add: { op: ['attach'] } }),
        drop: (writer) => writer.annotate('a', { drop: { op: ['attach'] } }),
        'note on the pool': async (writer) =>
          writer.annotatePool?.({ add: { fenced: ['n1/b1'] }, drop: { fenced: ['n0/b0'] } }),
        'note off the pool': async (writer) => writer.annotatePool?.({ drop: { fenced: ['n1/b1'] } }),
        remove: (writer) => writer.remove('a'),
      };
      const hasNotes = await change(made.pool, async (writer) => writer.annotatePool !== undefined);
      assert.ok(await commits(made, (writer) => writer.create(newVolume('a'))), 'create commits');
      for (const [name, step] of Object.entries(steps)) {
        if (name.endsWith('the pool') && !hasNotes) continue;
        assert.equal(await commits(made, step), true, `${name} commits`);
        assert.equal(await commits(made, step), false, `${name} again costs no commit`);
      }
    },

    async 'reading, activating, refreshing, deactivating and accepting cost no commit'(made) {
      const volume = await create(made.pool, newVolume('a'));
      const before = await revision(made);
      await list(made.pool);
      await made.pool.facts(never);
      await made.pool.activate('a', never);
      await made.pool.refresh?.('a', never);
      await made.pool.isCurrent?.(volume);
      await made.pool.deactivate('a', never);
      await made.pool.refresh?.('a', never);
      await made.pool.accept?.(never);
      assert.equal(await revision(made), before);
    },

    async 'a pool is shared, or refuses to be; again costs no commit'(made) {
      const { pool } = made;
      if (!pool.share) return;
      const attempt = () =>
        pool.share?.(never).then(
          () => 'shared',
          (error: unknown) => asSltvError(error).kind,
        );
      await change(pool, (writer) => writer.volumes());
      const outcome = await attempt();
      const before = await revision(made);
      assert.equal(await attempt(), outcome);
      assert.equal(await revision(made), before);
      assert.equal((await pool.facts(never)).isShared ?? false, outcome === 'shared');
      if (outcome !== 'shared') assert.equal(outcome, 'refused');
    },
  };
}

/** With the pool as another process sees it. */
export function reopenChecks<T extends StorageUnderTest>(reopen: (made: T) => Promise<Pool>): Checks<T> {
  return {
    async 'what was committed is there after a restart, whole'(made) {
      const { extent } = await made.pool.facts(never);
      await create(made.pool, newVolume('a', { notes: { v: ['1'], op: ['create'], on: ['n1/b1', 'n2/b2'] } }));
      await create(made.pool, newVolume('b', { format: 'qcow2' }));
      await create(made.pool, newVolume('c'));
      await change(made.pool, async (writer) => {
        await writer.annotate('a', { add: { own: ['größe/vdb'] }, drop: { op: ['create'] } });
        for (const name of ['a', 'b']) await writer.extend(name, extent * 2n);
        await writer.remove('c');
      });
      const after = await reopen(made);
      assert.deepEqual(await list(after), await list(made.pool));
      assert.deepEqual(await change(after, (writer) => writer.volumes()), await list(made.pool));
    },

    async 'a turn sees what another process has committed'(made) {
      const other = await reopen(made);
      await list(made.pool);
      const volume = await create(other, newVolume('a', { notes: { v: ['2'] } }));
      assert.deepEqual(await change(made.pool, (writer) => writer.find('a')), volume);
      await rejects('exists', create(made.pool, newVolume('a')));
    },
  };
}

/** With volumes that somebody made by hand. */
export function foreignChecks<T extends StorageUnderTest>(
  makeForeign: (made: T, name: string) => Promise<void>,
): Checks<T> {
  return {
    async 'a volume that somebody made by hand is listed without notes, and its name is taken'(made) {
      await makeForeign(made, 'theirs');
      const ours = await create(made.pool, newVolume('ours'));
      const [first, theirs] = await list(made.pool);
      assert.deepEqual(first, ours);
      assert.equal(theirs?.name, 'theirs');
      assert.deepEqual(theirs?.notes, {});
      assert.deepEqual(await change(made.pool, (writer) => writer.find('theirs')), theirs);
      await rejects('exists', create(made.pool, newVolume('theirs')));
      assert.deepEqual(await list(made.pool), [ours, theirs]);
    },

    async 'a volume that somebody made by hand is adopted with its notes, and theirs again after its release'(made) {
      const { pool } = made;
      if (!(await canAdopt(pool))) return;
      await makeForeign(made, 'theirs');
      const [theirs] = await list(pool);
      const adopted = await adopt(pool, 'theirs', false);
      assert.deepEqual(
        { ...adopted?.notes, disk: [...(adopted?.notes.disk ?? [])].sort() },
        { v: ['1'], disk: ['größe ☃', 'theirs'] },
      );
      assert.deepEqual({ ...adopted, notes: {} }, theirs, 'nothing else of it has changed');
      assert.deepEqual(await list(pool), [adopted]);
      for (const _ of ['first', 'again']) {
        await release(pool, 'theirs');
        assert.deepEqual(await list(pool), [theirs]);
      }
      await rejects('not-found', adopt(pool, 'nobodys', false));
      await release(pool, 'nobodys');
    },
  };
}

/** Of a pool in which others' volumes can be had. */
const canAdopt = (pool: Pool): Promise<boolean> => change(pool, async (writer) => writer.adopt !== undefined);

const adopt = (pool: Pool, name: string, isInUse: boolean): Promise<Volume | undefined> =>
  change(pool, async (writer) => writer.adopt?.(name, { notes: { v: ['1'], disk: ['theirs', 'größe ☃'] }, isInUse }));

const release = (pool: Pool, name: string): Promise<void> => change(pool, async (writer) => writer.release?.(name));

/** With paths that somebody has open. */
export function openChecks<T extends StorageUnderTest>(
  hold: (made: T, volume: Volume) => Promise<AsyncDisposable>,
  activation: 'switched' | 'always' | 'none',
): Checks<T> {
  const held = async (made: T, whileOpen: (volume: Volume) => Promise<void>) => {
    const volume = await create(made.pool, newVolume('a', { active: true }));
    await using _open = await hold(made, volume);
    await whileOpen(volume);
  };
  const removal: Checks<T> = {
    async 'a volume that is open is not removed: `busy`, until it is closed'(made) {
      await held(made, async (volume) => {
        await rejects(
          'busy',
          change(made.pool, (writer) => writer.remove('a')),
        );
        assert.deepEqual(await list(made.pool), [volume]);
      });
      await change(made.pool, (writer) => writer.remove('a'));
      assert.deepEqual(await list(made.pool), []);
    },
  };
  if (activation !== 'switched') return removal;
  return {
    ...removal,
    async 'a volume that is open is adopted only as one that is in use, and stays as it is: else `busy`'(made) {
      const { pool } = made;
      if (!(await canAdopt(pool))) return;
      await held(made, async (volume) => {
        await release(pool, 'a');
        await rejects('busy', adopt(pool, 'a', false));
        assert.deepEqual(await list(pool), [{ ...volume, notes: {} }]);
        await adopt(pool, 'a', true);
        assert.equal(await pool.isActive(volume), true);
        await release(pool, 'a');
        assert.equal(await pool.isActive(volume), true);
      });
      await adopt(pool, 'a', false);
      assert.equal(
        await pool.isActive((await list(pool))[0] ?? assert.fail()),
        false,
        'idle, it is inactive afterwards',
      );
    },

    async 'a volume that is open is not deactivated: `busy`, until it is closed'(made) {
      await held(made, async (volume) => {
        await rejects('busy', made.pool.deactivate('a', never));
        assert.equal(await made.pool.isActive(volume), true);
      });
      await made.pool.deactivate('a', never);
    },
  };
}
