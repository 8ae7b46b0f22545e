import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  certificateExpiry,
  counter,
  type Distribution,
  gauge,
  type Metric,
  objectionToDistribution,
  objectionToMetric,
} from '../../../core/capabilities/metrics.ts';

const wrong: readonly (readonly [what: string, metric: Metric, objection: RegExp])[] = [
  ['a name of somebody else', gauge('node_load', 'load', 1), /behind sltv_/],
  ['capitals', gauge('sltv_Load', 'load', 1), /lower case/],
  ['no help', gauge('sltv_load', ' ', 1), /has no help/],
  ['a counter without _total', counter('sltv_calls', 'calls', 1), /end with _total/],
  ['a gauge with it', gauge('sltv_calls_total', 'calls', 1), /they alone/],
  ['a counter that shrank below nothing', counter('sltv_calls_total', 'calls', -1), /counts -1/],
  ['no number', gauge('sltv_load', 'load', Number.NaN), /no number/],
  [
    'samples with different labels',
    gauge('sltv_load', 'load', [
      { value: 1, labels: { pool: 'a' } },
      { value: 1, labels: { disk: 'a' } },
    ]),
    /different labels: pool and disk/,
  ],
  [
    'two values for the same labels',
    gauge('sltv_load', 'load', [
      { value: 1, labels: { pool: 'a', disk: 'b' } },
      { value: 2, labels: { disk: 'b', pool: 'a' } },
    ]),
    /two values/,
  ],
  ["a label of Prometheus' own", gauge('sltv_load', 'load', [{ value: 1, labels: { job: 'a' } }]), /the label job/],
];

for (const [what, metric, objection] of wrong) {
  test(`a metric is refused for ${what}`, () => {
    assert.match(objectionToMetric(metric) ?? '', objection);
  });
}

test('what keeps the rules is not objected to: bytes as bigints, claims, endless times, no samples at all', () => {
  for (const metric of [
    gauge('sltv_pool_free_bytes', 'room', [{ value: 2n ** 60n, labels: { pool: 'a' } }]),
    gauge('sltv_up', 'whether', true),
    gauge('sltv_full_in_seconds', 'when', Number.POSITIVE_INFINITY),
    gauge('sltv_nothing', 'none', []),
    counter('sltv_calls_total', 'calls', 0),
    certificateExpiry([{ use: 'etcd-ca', notAfter: new Date(5_000) }]),
  ])
    assert.is(objectionToMetric(metric), undefined);
  assert.equal(gauge('sltv_up', 'whether', true).samples, [{ value: 1 }]);
  assert.is(certificateExpiry([{ use: 'etcd-ca', notAfter: new Date(5_000) }]).samples[0]?.value, 5);
});

test('a distribution has bounds that ascend, and a name to which words can be added', () => {
  const fine: Distribution = { name: 'sltv_wait_seconds', help: 'wait', labels: ['pool'], bounds: [1, 2] };
  assert.is(objectionToDistribution(fine), undefined);
  for (const [spoilt, objection] of [
    [{ bounds: [] }, /no bounds/],
    [{ bounds: [1, 1] }, /no bounds that ascend/],
    [{ name: 'sltv_wait_count' }, /a word that is added/],
    [{ labels: ['le'] }, /the label le/],
    [{ help: '' }, /no help/],
  ] as const) {
    assert.match(objectionToDistribution({ ...fine, ...spoilt }) ?? '', objection);
  }
});

test.run();
