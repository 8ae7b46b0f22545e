// How long is waited for another node that is at the same disk.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { whileClaimed } from '../../../core/disks/while-claimed.ts';
import { coreErrors, SltvError } from '../../../core/errors.ts';

/** Attempts that last so many seconds each, and are refused every time but the last. */
function attempts(seconds: readonly number[]) {
  let clock = 0;
  const left = [...seconds];
  return {
    now: () => clock,
    left,
    attempt: async () => {
      clock += (left.shift() ?? 0) * 1000;
      if (left.length > 0) throw coreErrors('disk-claimed', 'it is about to be taken over', { hint: 'try again' });
      return 'had';
    },
  };
}

const life = () => new AbortController().signal;

test('what another node is about to take is tried again', async () => {
  const { attempt, now } = attempts([1, 1, 1]);
  assert.is(await whileClaimed(life(), attempt, now), 'had');
});

test('not for ever', async () => {
  const { attempt, now, left } = attempts([6, 6, 6]);
  const error = await whileClaimed(life(), attempt, now).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof SltvError && error.code === 'core/disk-claimed');
  assert.is(left.length, 1);
});

test('whoever stood in the queue of the pool until the claim was old makes a new one', async () => {
  const { attempt, now } = attempts([31, 31, 1, 1]);
  assert.is(await whileClaimed(life(), attempt, now), 'had');
});

test('within the deadline of the call', async () => {
  const { attempt, now } = attempts([31, 31, 31]);
  const gone = new AbortController();
  const error = await whileClaimed(
    gone.signal,
    () => {
      gone.abort(new Error('too late'));
      return attempt();
    },
    now,
  ).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof Error && error.name === 'AbortError');
});

test('any other refusal is the answer', async () => {
  const refusal = coreErrors('disk-missing', 'there is no such disk', { hint: 'sltv disk list' });
  const error = await whileClaimed(life(), () => Promise.reject(refusal)).catch((thrown: unknown) => thrown);
  assert.is(error, refusal);
});

test.run();
