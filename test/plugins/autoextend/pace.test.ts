import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPace, createStopwatch } from '../../../plugins/autoextend/pace.ts';

test('the speed is the highest of late, and half of it after a minute', () => {
  const pace = createPace();
  pace.saw(0n, 0);
  pace.saw(10_000n, 1_000);
  pace.saw(11_000n, 2_000);
  assert.is(pace.rate(1_000), 10_000);
  assert.is(pace.rate(61_000), 5_000);
});

test('two looks in the same moment say nothing of speed', () => {
  const pace = createPace();
  pace.saw(0n, 0);
  pace.saw(1_000_000n, 10);
  assert.is(pace.rate(10), 0);
  pace.saw(1_000_000n, 1_000);
  assert.is(pace.rate(1_000), 1_000_000, 'but what came between them counts in the next');
});

test('an extension is expected to take as long as the longest of the last twenty', () => {
  const stopwatch = createStopwatch();
  assert.is(stopwatch.longest(), 1_000, 'a guess before the first');
  stopwatch.took(9_000);
  for (let n = 0; n < 19; n++) stopwatch.took(200);
  assert.is(stopwatch.longest(), 9_000);
  stopwatch.took(200);
  assert.is(stopwatch.longest(), 200);
});

test.run();
