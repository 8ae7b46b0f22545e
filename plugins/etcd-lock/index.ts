// Locks and nodes of a cluster, over etcd.
import { Cluster, definePlugin, Locks, MetricSources } from 'sltv';
import { certificatesOf } from './certificates.ts';
import { fail } from './errors.ts';
import { createEtcdKv } from './etcd-kv.ts';
import { measured } from './metrics.ts';
import { createParts } from './parts.ts';
import { EtcdLockOptions, endpointsFrom, isClusterWanted, passwordOf } from './settings.ts';

export default definePlugin({
  name: 'etcd-lock',
  api: 1,
  options: EtcdLockOptions,
  env: { SLTV_ETCD_ENDPOINTS: endpointsFrom, SLTV_CLUSTER_ENABLED: isClusterWanted },
  errors: fail,
  provides: { locks: Locks, cluster: Cluster, metrics: MetricSources },
  async setup({ options, node, run, log, signal, defer, emit }) {
    const { endpoints, prefix, ttl, username, tls } = options;
    const kv = await createEtcdKv({ endpoints, username, password: await passwordOf(options), tls });
    const parts = await createParts({
      ...{ prefix, ttl, node, log, quiet: run.quiet, stopped: signal },
      kv: measured(kv, emit),
      certificates: await certificatesOf(options),
    });
    defer(async () => await parts[Symbol.asyncDispose]());
    return { provides: { locks: parts.locks, cluster: parts.cluster, metrics: parts.metrics } };
  },
});
