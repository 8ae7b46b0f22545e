// What this node knows of itself and of the others as a source of metrics.
import type { Member } from '../capabilities/cluster.ts';
import { gauge, type MetricSource, type Sample } from '../capabilities/metrics.ts';
import type { NodesWorld } from './world.ts';

/** `alarms`: what a person should see to on this node. Asks the cluster once; fails where that is out of reach. */
export function metricsOf({ cluster }: NodesWorld, alarms: () => readonly string[]): MetricSource {
  return {
    name: 'nodes',
    async collect(signal) {
      const own = gauge(
        'sltv_alarms',
        'what a person should see to on this node: sltv status says it',
        alarms().length,
      );
      if (!cluster) return [own];
      const members = await cluster.members(signal);
      const each = (read: (member: Member) => number): readonly Sample[] =>
        members.map((member) => ({ value: read(member), labels: { node: member.node } }));
      return [
        own,
        gauge(
          'sltv_node_up',
          'whether the daemon of the node shows that it lives',
          each(({ isUp }) => Number(isUp)),
        ),
        gauge(
          'sltv_node_fenced',
          'whether the present life of the node counts as over',
          each(({ isOver }) => Number(isOver)),
        ),
        gauge(
          'sltv_node_last_seen_timestamp_seconds',
          'when the daemon of the node last showed that it lives, seconds since 1970',
          each(({ lastSeen }) => lastSeen.getTime() / 1000),
        ),
      ];
    },
  };
}
