// Core's own plugin for the nodes that share pools. daemon.ts puts it in front of the config's plugins, beside `disks`.
import * as v from 'valibot';
import { Cluster, NodeFenced } from '../capabilities/cluster.ts';
import { Disks } from '../capabilities/disks.ts';
import { Hypervisor } from '../capabilities/hypervisor.ts';
import { MetricSources } from '../capabilities/metrics.ts';
import { Nodes } from '../capabilities/nodes.ts';
import { PoolGrown, Storage } from '../capabilities/storage.ts';
import { createAlarms } from '../disks/alarms.ts';
import { definePlugin } from '../kernel/plugin.ts';
import { fence } from './fence.ts';
import { look } from './look.ts';
import { metricsOf } from './metrics.ts';
import { NodeQuiet } from './questions.ts';
import { beQuiet, recover } from './recover.ts';
import { retire } from './retire.ts';
import { watch } from './watch.ts';
import type { NodesWorld } from './world.ts';

const Options = v.strictObject({
  fence: v.optional(
    v.strictObject({
      command: v.array(v.string()),
      options: v.optional(v.record(v.string(), v.string()), {}),
      /** Milliseconds. */
      timeout: v.optional(v.number(), 60_000),
    }),
  ),
  whenFenced: v.optional(v.picklist(['destroy', 'alarm']), 'destroy'),
});

export default definePlugin({
  name: 'nodes',
  api: 1,
  options: Options,
  requires: { storages: Storage },
  accepts: { cluster: Cluster, hypervisor: Hypervisor, disks: Disks },
  provides: { nodes: Nodes, metrics: MetricSources },
  setup({ options, use, node, run, log, signal, on, emit }) {
    const world: NodesWorld = {
      storages: use.storages,
      cluster: use.cluster,
      hypervisor: use.hypervisor,
      node,
      run,
      log,
      alarms: createAlarms(log),
      agent: options.fence,
      whenFenced: options.whenFenced,
      poolNames: new Map(),
      provenAt: new Map(),
      told: new Set(),
      life: signal,
      emit,
    };
    if (use.cluster) {
      use.cluster.answer(NodeQuiet, async () => {
        await beQuiet(world, signal);
        return {};
      });
      const watching = watch(world);
      on(PoolGrown, watching.look);
      on(NodeFenced, watching.look);
    }
    const nodes = nodesOf(world, () => use.disks?.alarms() ?? []);
    return { provides: { nodes, metrics: metricsOf(world, () => nodes.health().alarms) } };
  },
});

/** The operations over one world. `more` alarms are those of disks. */
export function nodesOf(world: NodesWorld, more: () => readonly string[] = () => []): Nodes {
  return {
    list: ({ signal }) => look(world, signal),
    fence: (request, call) => fence(world, request, call),
    retire: (request, call) => retire(world, request, call),
    recover: (call) => recover(world, call),
    health: () => ({
      hasCluster: world.cluster !== undefined,
      trouble: world.cluster?.trouble(),
      alarms: [...world.alarms.sentences(), ...silences(world), ...more()],
    }),
  };
}

/** Who keeps everybody waiting. */
function silences({ cluster, poolNames }: NodesWorld): readonly string[] {
  return (cluster?.silent() ?? []).map(({ lock, node, since }) => {
    const pool = [...poolNames].find(([id]) => lock.endsWith(`/${id}`));
    const what = pool ? `pool ${pool[1]}` : lock;
    return `node ${node} has the lock of ${what} since ${since.toISOString()} and does not answer; nothing is made or grown there until it is back, or off for good: sltv node fence ${node}`;
  });
}
