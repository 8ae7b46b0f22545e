// One scrape: everything that is known, as Prometheus reads it.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { gauge, type Log, type Metric } from 'sltv';
import type { Counts } from './counts.ts';
import type { Inquiry } from './inquiry.ts';
import { judge } from './judge.ts';

export interface Scraping {
  readonly prom: typeof import('prom-client');
  readonly inquiry: Inquiry;
  readonly counts: Counts;
  readonly process: Registry;
  /** Series of one source. */
  readonly limit: number;
  readonly log: Log;
}

/** Whoever asks while another is served gets the same. */
export function createScrape(scraping: Scraping): () => Promise<string> {
  const { inquiry, counts, process, prom, limit, log } = scraping;
  const tell = createTeller(log);
  let running: Promise<string> | undefined;

  async function scrape(): Promise<string> {
    const { metrics, faults } = judge(await inquiry(), { limit, isTaken: counts.has });
    tell(faults);
    const own = gauge(
      'sltv_counted_series_left_out',
      'series of what is counted as it happens that are beyond the limit, and not here',
      counts.leftOut(),
    );
    const texts = [await written(prom, [...metrics, own]), await counts.registry.metrics(), await process.metrics()];
    return texts.join('\n');
  }

  return () => {
    running ??= scrape().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** One metric at a time, so that what is urgent waits for one at most: with a thousand disks all of them take some ten milliseconds. */
async function written(prom: Scraping['prom'], metrics: readonly Metric[]): Promise<string> {
  const texts: string[] = [];
  // prom-client would write a 0 for what has no labels and no value.
  for (const metric of metrics.filter(({ samples }) => samples.length > 0)) {
    texts.push(await registryWith(prom, metric).metrics());
    await turnOfTheLoop();
  }
  return texts.join('\n');
}

function registryWith(prom: Scraping['prom'], { name, help, type, samples }: Metric): Registry {
  const registry = new prom.Registry();
  const settings = { name, help, labelNames: Object.keys(samples[0]?.labels ?? {}), registers: [registry] };
  if (type === 'gauge') {
    const made = new prom.Gauge(settings);
    for (const { value, labels = {} } of samples) made.set(labels, Number(value));
  } else {
    const made = new prom.Counter(settings);
    for (const { value, labels = {} } of samples) made.inc(labels, Number(value));
  }
  return registry;
}

/** Says why a source is down when it begins to be so for that reason, and when it is over. */
function createTeller(log: Log): (faults: ReadonlyMap<string, string>) => void {
  let told: ReadonlyMap<string, string> = new Map();
  return (faults) => {
    for (const [source, because] of faults) {
      if (told.get(source) !== because) log.warn('a source of metrics is down', { source, because });
    }
    for (const source of told.keys()) if (!faults.has(source)) log.info('a source of metrics is up again', { source });
    told = faults;
  };
}
