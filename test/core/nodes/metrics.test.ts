import * as assert from 'uvu/assert';
import type { Metric } from '../../../core/capabilities/metrics.ts';
import { metricsOf } from '../../../core/nodes/metrics.ts';
import { beside, onHosts } from './trial.ts';

const test = onHosts('what is told of nodes');
const never = new AbortController().signal;
const values = (metrics: readonly Metric[], name: string) =>
  Object.fromEntries(
    metrics
      .find((metric) => metric.name === name)
      ?.samples.map(({ labels = {}, value }) => [labels.node ?? '', value]) ?? [],
  );

test('who is up, who is fenced, and when each was seen', async (hosts) => {
  beside(hosts.host('n1'));
  const { world } = beside(hosts.host('n2'));
  await hosts.host('n1').powerOff();
  hosts.cluster.over.set('n1/n1-b1', 'off');
  const metrics = await metricsOf(world, () => []).collect(never);
  assert.equal(values(metrics, 'sltv_node_up'), { n1: 0, n2: 1 });
  assert.equal(values(metrics, 'sltv_node_fenced'), { n1: 1, n2: 0 });
  assert.ok(Number(values(metrics, 'sltv_node_last_seen_timestamp_seconds').n2) > 0);
});

test('a host without a cluster tells of its alarms alone', async (hosts) => {
  const { world } = beside(hosts.host('n1'), { cluster: undefined });
  const metrics = await metricsOf(world, () => ['a volume is active that may not be']).collect(never);
  assert.equal(
    metrics.map(({ name, samples }) => [name, samples[0]?.value]),
    [['sltv_alarms', 1]],
  );
});

test('a cluster that is out of reach is an error, not a cluster without nodes', async (hosts) => {
  const { world } = beside(hosts.host('n1'));
  const { cluster } = world;
  if (!cluster) throw new Error('the hosts have a cluster');
  const silent = { ...cluster, members: () => Promise.reject(new Error('etcd is out of reach')) };
  const source = metricsOf({ ...world, cluster: silent }, () => []);
  const outcome = await Promise.resolve(source.collect(never)).then(
    () => 'it answered',
    (error: unknown) => String(error),
  );
  assert.match(outcome, 'etcd is out of reach');
});

test.run();
