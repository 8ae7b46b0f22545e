import * as prom from 'prom-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { counter, gauge, type Metric, type MetricSource } from '../../../core/capabilities/metrics.ts';
import { createCounts } from '../../../plugins/metrics/counts.ts';
import { createInquiry } from '../../../plugins/metrics/inquiry.ts';
import { createScrape } from '../../../plugins/metrics/scrape.ts';
import { keptLog } from '../../core/kernel/kit.ts';

function scraping(collect: MetricSource['collect']) {
  const { log, lines } = keptLog();
  const sources = [{ name: 'mine', collect }];
  const inquiry = createInquiry(sources, { timeout: 1_000, life: new AbortController().signal });
  const counts = createCounts({ prom, log, limit: 100 });
  const scrape = createScrape({ prom, inquiry, counts, process: new prom.Registry(), limit: 100, log });
  return { scrape, counts, said: () => lines.map(({ level, message }) => `${level} ${message}`) };
}

test('plain values are written as Prometheus reads them, with what may stand in a label', async () => {
  const { scrape } = scraping(() => [
    gauge('sltv_pool_free_bytes', 'room', [{ value: 2n ** 40n, labels: { pool: 'a"b\\c\nd' } }]),
    gauge('sltv_full_in_seconds', 'when', Number.POSITIVE_INFINITY),
    counter('sltv_calls_total', 'calls', 3),
    gauge('sltv_nothing', 'none', []),
  ]);
  const text = await scrape();
  for (const line of [
    '# HELP sltv_pool_free_bytes room\n# TYPE sltv_pool_free_bytes gauge\n',
    'sltv_pool_free_bytes{pool="a\\"b\\\\c\\nd"} 1099511627776\n',
    'sltv_full_in_seconds +Inf\n',
    '# TYPE sltv_calls_total counter\nsltv_calls_total 3\n',
  ])
    assert.ok(text.includes(line), `${line} is not in\n${text}`);
  assert.not.match(text, 'sltv_nothing');
});

test('a source that fails leaves the rest of the scrape as it is, and its reason is told once, until it is over', async () => {
  let because: string | undefined = 'etcd is out of reach';
  const { scrape, counts, said } = scraping((): readonly Metric[] => {
    if (because !== undefined) throw new Error(because);
    return [gauge('sltv_mine_load', 'load', 1)];
  });
  counts.count({ name: 'sltv_calls_total', help: 'calls', labels: [] });
  for (const _ of ['once', 'twice']) {
    const text = await scrape();
    assert.match(text, 'sltv_source_up{source="mine"} 0');
    assert.match(text, 'sltv_calls_total 1');
  }
  because = undefined;
  assert.match(await scrape(), 'sltv_source_up{source="mine"} 1');
  assert.equal(said(), ['warn a source of metrics is down', 'info a source of metrics is up again']);
});

test('a source that tells what is counted already, or of sources, spoils no scrape', async () => {
  const { scrape, counts } = scraping(() => [
    counter('sltv_calls_total', 'mine', 9),
    gauge('sltv_source_up', 'mine', 9),
    gauge('sltv_mine_load', 'load', 1),
  ]);
  counts.count({ name: 'sltv_calls_total', help: 'calls', labels: [] });
  const text = await scrape();
  assert.equal(text.match(/^sltv_(calls_total|source_up|mine_load).*$/gm), [
    'sltv_mine_load 1',
    'sltv_source_up{source="mine"} 0',
    'sltv_calls_total 1',
  ]);
});

test('what a plugin in plain JavaScript tells against all types spoils no scrape either', async () => {
  const load = gauge('sltv_mine_load', 'load', 1);
  for (const told of [
    undefined,
    'load',
    [undefined, load],
    [{ name: 'sltv_mine' }, load],
    [{ ...load, samples: [null] }],
  ]) {
    // What no type lets through.
    const { scrape } = scraping(() => told as readonly Metric[]);
    const text = await scrape();
    assert.match(text, 'sltv_source_up{source="mine"} 0');
    assert.is(text.includes('sltv_mine_load 1'), Array.isArray(told) && told.some((each) => each === load));
  }
});

test('who asks while another is served gets the same answer, from one question', async () => {
  let asked = 0;
  const { scrape } = scraping(() => {
    asked += 1;
    return [gauge('sltv_mine_load', 'load', asked)];
  });
  const [first, second] = await Promise.all([scrape(), scrape()]);
  assert.is(first, second);
  assert.match(await scrape(), 'sltv_mine_load 2');
});

test.run();
