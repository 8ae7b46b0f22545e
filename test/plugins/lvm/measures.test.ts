import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Measured, objectionToDistribution } from '../../../core/capabilities/metrics.ts';
import type { Event } from '../../../core/kernel/capability.ts';
import { lockTimes } from '../../../plugins/lvm/measures.ts';
import { loopVg, never } from './fixture.ts';

test('who waits for a turn is measured for as long as the one before him had the lock', async () => {
  await using vg = await loopVg();
  const waited: number[] = [];
  const held: number[] = [];
  const times = {
    waited: (pool: string, milliseconds: number) => void (pool === vg.name && waited.push(milliseconds)),
    held: (pool: string, milliseconds: number) => void (pool === vg.name && held.push(milliseconds)),
  };
  const { pool } = await vg.open({ times });
  const own = await pool();
  await Promise.all(['first', 'second'].map(() => own.change({ signal: never }, (writer) => writer.volumes())));
  assert.equal([waited.length, held.length], [2, 2]);
  const [first = 0, second = 0] = waited;
  assert.ok(second >= (held[0] ?? 0), `${second} ms is less than ${held[0]} ms`);
  assert.ok(first < second);
});

test('work that fails had the lock all the same', async () => {
  await using vg = await loopVg();
  const held: number[] = [];
  const { pool } = await vg.open({ times: { waited: () => {}, held: (_pool, time) => void held.push(time) } });
  const work = (await pool()).change({ signal: never }, () => Promise.reject(new Error('it broke')));
  assert.is(await work.catch(({ message }: Error) => message), 'it broke');
  assert.is(held.length, 1);
});

test('both are told in seconds, with the pool', () => {
  const told: unknown[] = [];
  const emit = <T>({ id }: Event<T>, what: T) => void (id === Measured.id && told.push(what));
  const times = lockTimes(emit);
  times.waited('vg0', 1_500);
  times.held('vg0', 20);
  const all = told as { of: Parameters<typeof objectionToDistribution>[0]; value: number; labels: object }[];
  assert.equal(
    all.map(({ of, value, labels }) => [of.name, value, labels, objectionToDistribution(of)]),
    [
      ['sltv_lvm_lock_wait_seconds', 1.5, { pool: 'vg0' }, undefined],
      ['sltv_lvm_lock_hold_seconds', 0.02, { pool: 'vg0' }, undefined],
    ],
  );
});

test.run();
