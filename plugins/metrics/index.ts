// plugins/metrics: what the daemon knows, where Prometheus asks for it.
import { definePlugin, MetricSources, v } from 'sltv';
import { createCounts } from './counts.ts';
import { countEvents } from './events.ts';
import { createInquiry } from './inquiry.ts';
import { listen } from './listener.ts';
import { processMetrics } from './process.ts';
import { createScrape } from './scrape.ts';

const MetricsOptions = v.strictObject({
  address: v.pipe(
    v.optional(
      v.pipe(v.string(), v.ip('expected an IP address of this host, such as 10.0.0.5'), v.title('an IP address')),
      '127.0.0.1',
    ),
    v.metadata({ see: 'monitoring.md' }),
    v.description(
      'where Prometheus asks: an address of this host. Whoever reaches it reads the names of pools, disks and nodes',
    ),
  ),
  port: v.pipe(
    v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1, 'a port is 1 to 65535'),
        v.maxValue(65_535, 'a port is 1 to 65535'),
        v.title('a port'),
      ),
      9464,
    ),
    v.description('the port where Prometheus asks'),
  ),
  timeout: v.pipe(
    v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(100, 'at least 100 milliseconds'), v.title('a number, 100 or more')),
      5_000,
    ),
    v.description('milliseconds that one source of metrics may take; a later one is left out of that scrape'),
  ),
  seriesLimit: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1, 'at least 1')), 10_000),
    v.description('how many series one source may have; the rest is left out, and counted'),
  ),
});

export default definePlugin({
  name: 'metrics',
  api: 1,
  options: MetricsOptions,
  accepts: { sources: MetricSources },
  async setup({ options: { address, port, timeout, seriesLimit }, use, log, signal, on, defer }) {
    // Not with this module: it takes long to load, also for a daemon whose config does without.
    const prom = await import('prom-client');
    const counts = createCounts({ prom, log, limit: seriesLimit });
    countEvents(on, counts);
    const inquiry = createInquiry(use.sources, { timeout, life: signal });
    const scrape = createScrape({ prom, inquiry, counts, process: processMetrics(prom), limit: seriesLimit, log });
    const listener = await listen({ address, port, scrape, contentType: prom.Registry.PROMETHEUS_CONTENT_TYPE, log });
    defer(async () => await listener[Symbol.asyncDispose]());
  },
});
