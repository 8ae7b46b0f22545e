// What a source of metrics promises: core/capabilities/metrics.ts, as facts.
import assert from 'node:assert/strict';
import { type Metric, type MetricSource, objectionToMetric } from '../capabilities/metrics.ts';
import { type Case, casesOf, never, type Subject } from './case.ts';

export interface MetricsUnderTest extends AsyncDisposable {
  /** It has something to tell. */
  readonly source: MetricSource;
}

/** Beside the factory, what else the suite can find out where you can help it; what isn't given isn't tested. */
export interface MetricsSubject<T extends MetricsUnderTest> extends Subject<T> {
  /** How many processes were started so far on behalf of what the source tells of. */
  processes?(made: T): number;
}

/** The cases that any source of metrics must pass. */
export function metricsConformance<T extends MetricsUnderTest>(subject: MetricsSubject<T>): readonly Case[] {
  const { processes } = subject;
  return casesOf<T>(subject, {
    async 'it has a name, and tells something'({ source }) {
      assert.match(source.name, /^[a-z][a-z0-9-]*$/);
      const metrics = await source.collect(never);
      assert.ok(metrics.length > 0, 'it told nothing');
    },

    async 'every metric keeps the rules of names, units, labels and values'({ source }) {
      const objections = (await source.collect(never)).map(objectionToMetric);
      assert.deepEqual(
        objections.filter((objection) => objection !== undefined),
        [],
      );
    },

    async 'a metric is told once, whatever its labels'({ source }) {
      const names = (await source.collect(never)).map(({ name }) => name);
      assert.deepEqual(names, [...new Set(names)]);
    },

    async 'asked again it tells the same metrics, with the same help, and counters have not shrunk'({ source }) {
      const before = await source.collect(never);
      const after = await source.collect(never);
      assert.deepEqual(after.map(declared), before.map(declared));
      for (const metric of before.filter(({ type }) => type === 'counter')) {
        const now = after.find(({ name }) => name === metric.name);
        assert.ok(sumOf(now) >= sumOf(metric), `${metric.name} shrank`);
      }
    },

    async 'whom nobody waits for any more ends, with an answer or without'({ source }) {
      await Promise.resolve(source.collect(AbortSignal.abort())).catch(() => {});
      assert.ok((await source.collect(never)).length > 0, 'it tells nothing any more');
    },

    ...(processes
      ? {
          async 'telling starts no process while nothing changes'(made: T) {
            await made.source.collect(never);
            const before = processes(made);
            for (let time = 0; time < 3; time += 1) await made.source.collect(never);
            assert.equal(processes(made), before);
          },
        }
      : {}),
  });
}

const declared = ({ name, help, type }: Metric) => ({ name, help, type });
const sumOf = (metric: Metric | undefined): number =>
  metric?.samples.reduce((sum, { value }) => sum + Number(value), 0) ?? 0;
