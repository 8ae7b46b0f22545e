// Metrics: what a plugin knows that is worth a curve, told as plain values.
//
// You implement this when your plugin knows numbers that nobody else has: how full, how fast, how many, whether all is well. Who
// asks (plugins/metrics, for Prometheus) asks for all of it at once, every few seconds, as long as the daemon lives. You need not
// know how it is written down, or whether anybody asks at all. Four promises:
//
// 1. **Answering costs nothing.** Tell what you know anyway. Start no process for it, take no turn and no lock; where you have to
//    ask somebody, end with the signal. An answer that comes too late is left out, and you count as down until one comes in time.
// 2. **The names stay.** A name means the same for ever: dashboards and alerts stand on it. It begins with `sltv_` and, where the
//    metric is your plugin's alone, with the plugin's name; it ends with its unit, a base one: `_bytes`, `_seconds`, `_ratio`, and
//    `_total` for what only ever grows. Whatever breaks these rules is left out, and said in the log (`objectionToMetric`).
// 3. **Few series.** A label's values are few by their nature: the pool, the disk, the node, a reason out of a list. Never a
//    request's id, a path or an error's sentence. Beyond a limit for each source the rest is left out, and counted.
// 4. **What you don't know you leave out.** No sample is better than a 0 that looks like one; and an error is thrown, so that it
//    is seen that you failed, not that there is nothing.
//
// What takes a time, or has a size that matters each time, is not asked for but told when it happens: `emit(Measured, …)`.
// The conformance suite `metricsConformance` in 'sltv/testing' holds you to all of this.
import { event, many } from '../kernel/capability.ts';

export interface MetricSource {
  /** What the source is called where it is said that it failed: your plugin's name. */
  readonly name: string;
  /** All that is known now. The signal fires when nobody waits for it any more. */
  collect(signal: AbortSignal): readonly Metric[] | Promise<readonly Metric[]>;
}

export type Labels = Readonly<Record<string, string>>;

export interface Metric {
  readonly name: string;
  /** A sentence's worth, without a full stop. The same name has the same help wherever it is told. */
  readonly help: string;
  /** `counter`: only ever grows, from 0 at the daemon's start or from whenever. */
  readonly type: 'gauge' | 'counter';
  /** One for each set of labels; all have the same labels. May be empty. */
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly value: number | bigint;
  readonly labels?: Labels | undefined;
}

export const MetricSources = many<MetricSource>('metrics');

/** Something that is measured each time that it happens, so that its spread can be seen. */
export interface Distribution {
  readonly name: string;
  readonly help: string;
  /** The labels that every value has. */
  readonly labels: readonly string[];
  /** Upper bounds, ascending, between which values are told apart. */
  readonly bounds: readonly number[];
}

/** It happened once more, and so much it was. Costs next to nothing where nobody counts. */
export const Measured = event<{
  readonly of: Distribution;
  readonly value: number;
  readonly labels?: Labels | undefined;
}>('measured');

/** Bounds for what takes from a millisecond to a minute, seconds. */
export const durationBounds: readonly number[] = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

type Samples = readonly Sample[] | number | bigint | boolean;

/** A metric that goes up and down. A single value has no labels; a claim is 1 or 0. */
export const gauge = (name: string, help: string, samples: Samples): Metric => metric('gauge', name, help, samples);

/** A metric that only ever grows. */
export const counter = (name: string, help: string, samples: Samples): Metric => metric('counter', name, help, samples);

function metric(type: Metric['type'], name: string, help: string, samples: Samples): Metric {
  if (typeof samples === 'object') return { type, name, help, samples };
  return { type, name, help, samples: [{ value: Number(samples) }] };
}

/** Until when a certificate holds that this daemon shows or checks others by; of whichever source, in one metric. */
export const certificateExpiry = (certificates: readonly { readonly use: string; readonly notAfter: Date }[]): Metric =>
  gauge(
    'sltv_certificate_not_after_timestamp_seconds',
    'when a certificate that this daemon uses ends to be valid, seconds since 1970',
    certificates.map(({ use, notAfter }) => ({ value: notAfter.getTime() / 1000, labels: { use } })),
  );

/** Says which rule a metric breaks, in a sentence's end; undefined when none. */
export function objectionToMetric({ name, help, type, samples }: Metric): string | undefined {
  const common = objectionToName(name, help);
  if (common !== undefined) return common;
  if (type !== 'gauge' && type !== 'counter') return `${name} is neither a gauge nor a counter`;
  if ((type === 'counter') !== name.endsWith('_total')) return `${name}: counters, and they alone, end with _total`;
  const [first] = samples;
  const labels = labelsOf(first);
  const seen = new Set<string>();
  for (const sample of samples) {
    const mine = labelsOf(sample);
    if (mine.join() !== labels.join()) return `${name} has samples with different labels: ${labels} and ${mine}`;
    const value = Number(sample.value);
    if (Number.isNaN(value)) return `${name} has a value that is no number`;
    if (type === 'counter' && !(value >= 0 && Number.isFinite(value))) return `${name} counts ${value}`;
    const key = JSON.stringify(mine.map((label) => sample.labels?.[label]));
    if (seen.has(key)) return `${name} has two values for ${key}`;
    seen.add(key);
  }
  return objectionToLabels(name, labels);
}

/** The same for what is measured. */
export function objectionToDistribution({ name, help, labels, bounds }: Distribution): string | undefined {
  const ascends = bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? bound));
  if (bounds.length === 0 || !ascends) return `${name} has no bounds that ascend`;
  if (/_(total|count|sum|bucket)$/.test(name)) return `${name} ends with a word that is added to it`;
  return objectionToName(name, help) ?? objectionToLabels(name, labels);
}

function objectionToName(name: string, help: string): string | undefined {
  if (!/^sltv(_[a-z][a-z0-9]*)+$/.test(name)) return `${name} is not made of words in lower case behind sltv_`;
  return help.trim() === '' ? `${name} has no help` : undefined;
}

function objectionToLabels(name: string, labels: readonly string[]): string | undefined {
  const wrong = labels.find((label) => !/^[a-z][a-z0-9_]*$/.test(label) || RESERVED.includes(label));
  return wrong === undefined ? undefined : `${name} can't have the label ${wrong}`;
}

/** Prometheus' own, of buckets, quantiles, and where a series was scraped. */
const RESERVED = ['le', 'quantile', 'job', 'instance'];

const labelsOf = (sample: Sample | undefined): readonly string[] => Object.keys(sample?.labels ?? {}).sort();
