import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { counter, gauge, type Metric, type MetricSource } from '../../../core/capabilities/metrics.ts';
import { type MetricsUnderTest, metricsConformance } from '../../../core/testing/index.ts';
import { factOf, failures } from '../../fixtures/mutants.ts';

interface Made extends MetricsUnderTest {
  readonly started: () => number;
}
type Collect = (time: number, signal: AbortSignal, start: () => void) => readonly Metric[] | Promise<readonly Metric[]>;

const honest: Collect = (time) => [gauge('sltv_mine_load', 'load', 1), counter('sltv_mine_asked_total', 'asked', time)];
const suiteOf = (collect: Collect, name = 'mine') =>
  metricsConformance<Made>({
    name: 'spoilt',
    patience: 200,
    async make() {
      let time = 0;
      let started = 0;
      const start = () => {
        started += 1;
      };
      const source: MetricSource = {
        name,
        collect(signal) {
          time += 1;
          return collect(time, signal, start);
        },
      };
      return { source, started: () => started, [Symbol.asyncDispose]: async () => {} };
    },
    processes: ({ started }) => started(),
  });

const MUTANTS: readonly { wrong: string; collect?: Collect; name?: string; caughtBy: string }[] = [
  { wrong: 'it tells nothing', collect: () => [], caughtBy: 'it has a name' },
  { wrong: 'a name that is no plugin’s', name: 'My Source', caughtBy: 'it has a name' },
  { wrong: 'milliseconds without a unit', collect: () => [gauge('load', 'load', 1)], caughtBy: 'every metric keeps' },
  {
    wrong: 'one metric twice',
    collect: () => [gauge('sltv_mine_load', 'load', 1), gauge('sltv_mine_load', 'load', 2)],
    caughtBy: 'a metric is told once',
  },
  {
    wrong: 'help that has the value in it',
    collect: (time) => [gauge('sltv_mine_load', `load ${time}`, 1)],
    caughtBy: 'asked again',
  },
  {
    wrong: 'a counter that shrinks',
    collect: (time) => [counter('sltv_mine_asked_total', 'asked', 10 - time)],
    caughtBy: 'asked again',
  },
  {
    wrong: 'it waits on though nobody waits for it',
    collect: (time, signal) => (signal.aborted ? new Promise(() => {}) : honest(time, signal, () => {})),
    caughtBy: 'whom nobody waits for',
  },
  {
    wrong: 'a process for each answer',
    collect: (time, signal, start) => {
      start();
      return honest(time, signal, start);
    },
    caughtBy: 'telling starts no process',
  },
];

for (const { wrong, collect = honest, name, caughtBy } of MUTANTS) {
  test(`the metrics' suite catches: ${wrong}`, async () => {
    const failed = await failures(suiteOf(collect, name));
    assert.ok(
      failed.some((fact) => fact.startsWith(caughtBy)),
      `'${caughtBy}' held; these did not: ${failed.join('; ')}`,
    );
  });
}

test('every case of the metrics’ suite fails for some mutant', () => {
  const unproven = suiteOf(honest)
    .map(({ title }) => factOf(title))
    .filter((fact) => !MUTANTS.some(({ caughtBy }) => fact.startsWith(caughtBy)));
  assert.equal(unproven, []);
});

test('an honest source passes the suite', async () => {
  assert.equal(await failures(suiteOf(honest)), []);
});

test.run();
