// What sources answered, held to the rules and to the limit, so that no source can spoil a scrape.
import { gauge, type Metric, objectionToMetric } from 'sltv';
import type { Answer } from './inquiry.ts';

export interface Judgement {
  /** One for each name, whoever told it, and what is said of the sources themselves. */
  readonly metrics: readonly Metric[];
  /** Why a source counts as down, by its name. */
  readonly faults: ReadonlyMap<string, string>;
}

export interface Rules {
  /** Series of one source. */
  readonly limit: number;
  /** Whether something else is written by this name. */
  readonly isTaken: (name: string) => boolean;
}

export function judge(answers: readonly Answer[], { limit, isTaken }: Rules): Judgement {
  const byName = new Map<string, Metric>();
  const faults = new Map<string, string>();
  const leftOut = new Map<string, number>();
  for (const { source, metrics, failure } of answers) {
    if (failure !== undefined) faults.set(source, failure);
    let room = limit;
    for (const metric of metrics) {
      try {
        const known = byName.get(metric.name);
        const within = { ...metric, samples: [...(known?.samples ?? []), ...metric.samples.slice(0, room)] };
        const objection = objectionToMetric(within) ?? clash(known, metric) ?? theft(metric, isTaken);
        if (objection !== undefined) throw new Error(objection);
        byName.set(metric.name, within);
        const beyond = Math.max(0, metric.samples.length - room);
        leftOut.set(source, (leftOut.get(source) ?? 0) + beyond);
        room -= metric.samples.length - beyond;
      } catch (error) {
        // From plain JavaScript it may be no metric at all.
        if (!faults.has(source)) faults.set(source, sentenceOf(error));
      }
    }
  }
  const each = (read: (answer: Answer) => number) =>
    answers.map((answer) => ({ value: read(answer), labels: { source: answer.source } }));
  const about = [
    gauge(
      'sltv_source_up',
      'whether a source of metrics answered in time and kept the rules; the log says why not',
      each(({ source }) => Number(!faults.has(source))),
    ),
    gauge(
      'sltv_source_duration_seconds',
      'how long a source of metrics took to answer',
      each(({ seconds }) => seconds),
    ),
    gauge(
      'sltv_source_series_left_out',
      'series of a source that are beyond the limit for one source, and not here',
      each(({ source }) => leftOut.get(source) ?? 0),
    ),
  ];
  return { metrics: [...byName.values(), ...about], faults };
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A name that is written twice would make the whole scrape unreadable. */
function theft({ name }: Metric, isTaken: Rules['isTaken']): string | undefined {
  return OWN.test(name) || isTaken(name) ? `${name} is a name of the metrics plugin's own` : undefined;
}

/** What is said of sources, and of what is counted. */
const OWN = /^sltv_(source|counted)_/;

function clash(known: Metric | undefined, { name, type, help }: Metric): string | undefined {
  if (known === undefined || (known.type === type && known.help === help)) return undefined;
  return `${name} is another source's metric, with another type or help`;
}
