import * as prom from 'prom-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Distribution } from '../../../core/capabilities/metrics.ts';
import { createCounts } from '../../../plugins/metrics/counts.ts';
import { keptLog } from '../../core/kernel/kit.ts';

const Wait: Distribution = { name: 'sltv_wait_seconds', help: 'wait', labels: ['pool'], bounds: [1, 2] };
const Calls = { name: 'sltv_calls_total', help: 'calls', labels: ['verb'] };
/** Each of Wait's label sets is two buckets, one above them, a sum and a count. */
const COST = 5;

function counting(limit = 100) {
  const { log, lines } = keptLog();
  const counts = createCounts({ prom, log, limit });
  return { counts, lines, text: () => counts.registry.metrics() };
}

test('what is declared is there with 0, and counts from then on', async () => {
  const { counts, text } = counting();
  counts.declare(Calls, { verb: 'show' });
  assert.match(await text(), 'sltv_calls_total{verb="show"} 0');
  counts.count(Calls, { verb: 'show' });
  counts.count(Calls, { verb: 'show' });
  assert.match(await text(), 'sltv_calls_total{verb="show"} 2');
});

test('what is measured is told by its bounds', async () => {
  const { counts, text } = counting();
  for (const value of [0.5, 1.5, 1.5, 3]) counts.observe(Wait, value, { pool: 'a' });
  for (const line of ['bucket{le="1",pool="a"} 1', 'bucket{le="2",pool="a"} 3', 'bucket{le="+Inf",pool="a"} 4'])
    assert.match(await text(), `sltv_wait_seconds_${line}`);
  assert.match(await text(), 'sltv_wait_seconds_sum{pool="a"} 6.5');
});

test('beyond the limit nothing new is counted, what is known goes on, and what is missing is told once', async () => {
  const { counts, text } = counting(COST);
  counts.observe(Wait, 1, { pool: 'a' });
  for (const _ of ['once', 'twice']) counts.observe(Wait, 1, { pool: 'b' });
  counts.count(Calls, { verb: 'show' });
  counts.observe(Wait, 1, { pool: 'a' });
  assert.match(await text(), 'sltv_wait_seconds_count{pool="a"} 2');
  assert.not.match(await text(), /pool="b"|verb/);
  assert.is(counts.leftOut(), COST + 1);
});

test('what is measured by the name of something that is counted is left out', async () => {
  const { counts, lines, text } = counting();
  counts.count({ ...Calls, name: Wait.name }, { verb: 'show' });
  counts.observe(Wait, 1, { pool: 'a' });
  assert.is(counts.has(Wait.name), true);
  assert.is(lines.length, 1);
  assert.not.match(await text(), 'pool=');
});

test('a plugin that measures against the rules is told of once, and harms nobody', async () => {
  const { counts, lines, text } = counting();
  for (const _ of ['once', 'twice']) counts.observe({ ...Wait, name: 'wait' }, 1, { pool: 'a' });
  counts.observe(Wait, 1, { disk: 'a' });
  counts.observe(Wait, Number.NaN, { pool: 'a' });
  assert.equal(
    lines.map(({ message }) => message),
    ['what a plugin measures is left out'],
  );
  assert.not.match(await text(), /pool="a"/);
});

test.run();
