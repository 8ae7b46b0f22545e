import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Event } from '../../../core/kernel/capability.ts';
import { createLog } from '../../../core/log.ts';
import { GiB } from '../../../core/units.ts';
import { createShortages } from '../../../plugins/autoextend/shortage.ts';

function shortages() {
  const said: string[] = [];
  const told: unknown[] = [];
  const log = createLog({ level: 'info', format: 'json', write: (line) => said.push(JSON.parse(line).message) });
  const emit = <T>({ id }: Event<T>, what: T) => void told.push({ id, ...what });
  return { said, told, of: createShortages(log, emit) };
}

test('a shortage is said when it begins, not at every try that fails in it', () => {
  const { said, told, of } = shortages();
  of.begin('vg0', { free: 0n, wanted: GiB });
  of.begin('vg0', { free: 0n, wanted: 2n * GiB });
  assert.is(said.length, 1);
  assert.equal(told, [{ id: 'pool.short', pool: 'vg0', isShort: true, free: 0n, wanted: GiB }]);
});

test('it lasts while anybody waits for room in that pool', () => {
  const { told, of } = shortages();
  of.begin('vg0', { free: 0n, wanted: GiB });
  of.endUnless(['vg0', 'vg1']);
  assert.is(told.length, 1);
});

test('its end is said once, and a shortage after it is a new one', () => {
  const { said, told, of } = shortages();
  of.begin('vg0', { free: 0n, wanted: GiB });
  of.begin('vg0', { free: 0n, wanted: 2n * GiB });
  of.endUnless([]);
  of.endUnless([]);
  assert.equal(told.slice(1), [{ id: 'pool.short', pool: 'vg0', isShort: false, free: 0n, wanted: 2n * GiB }]);
  of.begin('vg0', { free: 0n, wanted: GiB });
  assert.equal([said.length, told.length], [3, 3]);
});

test('pools run short one by one', () => {
  const { told, of } = shortages();
  of.begin('vg0', { free: 0n, wanted: GiB });
  of.begin('vg1', { free: 0n, wanted: GiB });
  of.endUnless(['vg1']);
  assert.equal(told.slice(2), [{ id: 'pool.short', pool: 'vg0', isShort: false, free: 0n, wanted: GiB }]);
});

test.run();
