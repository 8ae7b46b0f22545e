// Asks all sources at once, none longer than it may take; whatever one of them does harms no other.
import { type Metric, type MetricSource, patiently } from 'sltv';

export interface Answer {
  readonly source: string;
  readonly metrics: readonly Metric[];
  /** Why there are none, in a sentence; undefined when it answered. */
  readonly failure: string | undefined;
  readonly seconds: number;
}

export type Inquiry = () => Promise<readonly Answer[]>;

export interface InquiryOptions {
  /** Milliseconds. */
  readonly timeout: number;
  /** Fires when the daemon stops. */
  readonly life: AbortSignal;
}

export function createInquiry(sources: readonly MetricSource[], { timeout, life }: InquiryOptions): Inquiry {
  /** Those that have not come back, though nobody waits for them any more: asked again they would only pile up. */
  const busy = new Set<MetricSource>();

  async function ask(source: MetricSource): Promise<Answer> {
    const begun = performance.now();
    const answer = (metrics: readonly Metric[], failure?: string): Answer => {
      return { source: source.name, metrics, failure, seconds: (performance.now() - begun) / 1000 };
    };
    if (busy.has(source)) return answer([], 'it has not come back since it was asked last');
    busy.add(source);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeout);
    const signal = AbortSignal.any([life, late.signal]);
    const work = collect(source, signal).finally(() => busy.delete(source));
    try {
      return answer((await patiently(work, [signal])) ?? []);
    } catch (error) {
      return answer([], signal.aborted ? `it did not answer within ${timeout / 1000} s` : sentenceOf(error));
    } finally {
      clearTimeout(timer);
    }
  }

  return () => Promise.all(sources.map(ask));
}

/** Also what it throws at once is a promise's. From plain JavaScript anything may come back. */
async function collect(source: MetricSource, signal: AbortSignal): Promise<readonly Metric[]> {
  const metrics: unknown = await source.collect(signal);
  if (!Array.isArray(metrics)) throw new Error(`it answered ${metrics}, not a list of metrics`);
  return metrics;
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
