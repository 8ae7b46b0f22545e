import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gauge, type Metric } from '../../../core/capabilities/metrics.ts';
import type { Answer } from '../../../plugins/metrics/inquiry.ts';
import { judge } from '../../../plugins/metrics/judge.ts';

const answer = (source: string, metrics: readonly Metric[], failure?: string): Answer => {
  return { source, metrics, failure, seconds: 0.5 };
};
const rules = (limit = 10) => ({ limit, isTaken: (name: string) => name === 'sltv_calls' });
const pools = (...names: readonly string[]) =>
  gauge(
    'sltv_pool_load',
    'load',
    names.map((pool) => ({ value: 1, labels: { pool } })),
  );
const valuesOf = (metrics: readonly Metric[], name: string) =>
  Object.fromEntries(
    metrics
      .find((metric) => metric.name === name)
      ?.samples.map(({ labels = {}, value }) => [Object.values(labels).join(), value]) ?? [],
  );

test('a metric that several sources tell is one, with the samples of all', () => {
  const { metrics, faults } = judge([answer('a', [pools('x')]), answer('b', [pools('y')])], rules());
  assert.equal(valuesOf(metrics, 'sltv_pool_load'), { x: 1, y: 1 });
  assert.is(faults.size, 0);
});

test('what breaks a rule is left out, the rest of its source stays, and the source counts as down', () => {
  const { metrics, faults } = judge(
    [answer('a', [gauge('bad', 'bad', 1), pools('x')]), answer('b', [pools('y')])],
    rules(),
  );
  assert.equal(valuesOf(metrics, 'sltv_pool_load'), { x: 1, y: 1 });
  assert.equal(valuesOf(metrics, 'sltv_source_up'), { a: 0, b: 1 });
  assert.match(faults.get('a') ?? '', /^bad is not made of words/);
});

test('another help, type or set of labels for a name is its second source’s fault, and so is a second value', () => {
  for (const second of [
    gauge('sltv_pool_load', 'another help', [{ value: 1, labels: { pool: 'y' } }]),
    gauge('sltv_pool_load', 'load', [{ value: 1, labels: { disk: 'y' } }]),
    pools('x'),
  ]) {
    const { metrics, faults } = judge([answer('a', [pools('x')]), answer('b', [second])], rules());
    assert.equal(valuesOf(metrics, 'sltv_pool_load'), { x: 1 });
    assert.equal([...faults.keys()], ['b']);
  }
});

test('a name of the plugin’s own, or of what is counted, is its source’s fault: written twice it would spoil the scrape', () => {
  for (const name of ['sltv_source_up', 'sltv_counted_series_left_out', 'sltv_calls']) {
    const { metrics, faults } = judge([answer('a', [gauge(name, 'mine', 1), pools('x')])], rules());
    assert.is(metrics.filter((metric) => metric.name === name && metric.help === 'mine').length, 0);
    assert.equal(valuesOf(metrics, 'sltv_pool_load'), { x: 1 });
    assert.match(faults.get('a') ?? '', `${name} is a name`);
  }
});

test('beyond the limit series of a source are left out and counted, and another source has a limit of its own', () => {
  const more = gauge('sltv_more', 'more', 1);
  const { metrics } = judge([answer('a', [pools('u', 'v', 'w'), more]), answer('b', [pools('x', 'y')])], rules(2));
  assert.equal(valuesOf(metrics, 'sltv_pool_load'), { u: 1, v: 1, x: 1, y: 1 });
  assert.equal(valuesOf(metrics, 'sltv_source_series_left_out'), { a: 2, b: 0 });
  assert.equal(valuesOf(metrics, 'sltv_more'), {});
});

test('a source that failed is down, with its reason and the time that it took', () => {
  const { metrics, faults } = judge([answer('a', [], 'it broke')], rules());
  assert.equal(valuesOf(metrics, 'sltv_source_up'), { a: 0 });
  assert.equal(valuesOf(metrics, 'sltv_source_duration_seconds'), { a: 0.5 });
  assert.equal([...faults], [['a', 'it broke']]);
});

test.run();
