// What is told as it happens, counted from the daemon's start on.
import type { Counter, Histogram, Registry } from 'prom-client';
import { type Distribution, type Labels, type Log, objectionToDistribution } from 'sltv';

/** Something that is counted. */
export interface Counted {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

export interface Counts {
  /** From now on it is there, with 0. */
  declare(of: Counted | Distribution, labels?: Labels): void;
  /** One more. */
  count(of: Counted, labels?: Labels): void;
  /** What breaks the rules is left out, and said in the log once. */
  observe(of: Distribution, value: number, labels?: Labels): void;
  /** Whether something is counted or measured by this name. */
  has(name: string): boolean;
  readonly registry: Registry;
  /** How many series there would be more without the limit; a label set that comes again counts once. */
  leftOut(): number;
}

export interface CountsOptions {
  readonly prom: typeof import('prom-client');
  readonly log: Log;
  /** Series, of all that is counted here together. */
  readonly limit: number;
}

export function createCounts({ prom, log, limit }: CountsOptions): Counts {
  const registry = new prom.Registry();
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, Histogram | undefined>();
  const admitted = new Set<string>();
  const refused = new Map<string, number>();
  let series = 0;

  /** Whether there is room for these labels, which are so many series. */
  function admit(name: string, labels: Labels, cost: number): boolean {
    const key = JSON.stringify([name, ...Object.entries(labels).sort()]);
    if (admitted.has(key)) return true;
    if (series + cost > limit) {
      // What is left out needs no memory without end either.
      if (refused.size < limit) refused.set(key, cost);
      return false;
    }
    admitted.add(key);
    series += cost;
    return true;
  }

  const has = (name: string) => registry.getSingleMetric(name) !== undefined;

  function counterOf({ name, help, labels }: Counted): Counter {
    const known = counters.get(name);
    if (known) return known;
    const made = new prom.Counter({ name, help, labelNames: [...labels], registers: [registry] });
    counters.set(name, made);
    return made;
  }

  /** Undefined for what breaks the rules. */
  function histogramOf(of: Distribution): Histogram | undefined {
    const { name, help, labels, bounds } = of;
    if (histograms.has(name)) return histograms.get(name);
    // Names are no more than series.
    if (histograms.size >= limit) return undefined;
    const objection = objectionToDistribution(of) ?? (has(name) ? `${name} is counted already` : undefined);
    if (objection !== undefined) log.warn('what a plugin measures is left out', { because: objection });
    const settings = { name, help, labelNames: [...labels], buckets: [...bounds], registers: [registry] };
    const made = objection === undefined ? new prom.Histogram(settings) : undefined;
    histograms.set(name, made);
    return made;
  }

  function add(of: Counted, by: number, labels: Labels = {}): void {
    const made = counterOf(of);
    if (admit(of.name, labels, 1)) made.inc(labels, by);
  }

  return {
    has,
    registry,
    declare(of, labels) {
      if ('bounds' in of) histogramOf(of);
      else add(of, 0, labels);
    },
    count: (of, labels) => add(of, 1, labels),
    observe(of, value, labels = {}) {
      const made = histogramOf(of);
      const isWhole = Number.isFinite(value) && Object.keys(labels).sort().join() === of.labels.toSorted().join();
      // Its buckets, the one above them, the sum and the count.
      if (made && isWhole && admit(of.name, labels, of.bounds.length + 3)) made.observe(labels, value);
    },
    leftOut: () => [...refused.values()].reduce((sum, cost) => sum + cost, 0),
  };
}
