// Nodes: what core makes of a cluster: who is in it, and what is done about one that is gone. Core provides this one.
import { one } from '../kernel/capability.ts';
import type { Call } from '../kernel/verb.ts';
import type { ClusterTrouble, PoolSight } from './cluster.ts';

/** A node as this one sees it. */
export interface NodeView {
  readonly name: string;
  readonly boot: string;
  readonly version: string;
  /** Of what it writes to storage. */
  readonly format: number;
  readonly addresses: readonly string[];
  readonly isSelf: boolean;
  readonly isUp: boolean;
  /** This life of it counts as over. */
  readonly isFenced: boolean;
  readonly lastSeen: Date | undefined;
  readonly pools: readonly PoolSight[];
  /** What a person should see to, in sentences. */
  readonly remarks: readonly string[];
}

export interface FenceRequest {
  readonly node: string;
  /** Somebody vouches for it: that host is off, and stays off until this has ended. */
  readonly confirmed: boolean;
  /** Takes that word also where a fence agent is configured. */
  readonly byHand: boolean;
}

export interface Health {
  /** False on a host that shares pools with nobody. */
  readonly hasCluster: boolean;
  readonly trouble: ClusterTrouble | undefined;
  /** What a person should see to on this node, in sentences. */
  readonly alarms: readonly string[];
}

export interface Nodes {
  /** All members, this node too; on a host without a cluster it alone. Kinds: `unavailable`. */
  list(call: Call): Promise<readonly NodeView[]>;
  /**
   * Proves that a node's present life is over, by the configured agent or by a person's word, and lets others have what it had.
   * Done already: goes on with what is left of it. Errors: `core/node-missing`, `core/node-up`, `core/fence-unproven`, `core/fence-failed`,
   * `core/fence-unfinished`.
   */
  fence(request: FenceRequest, call: Call): Promise<NodeView>;
  /** Takes out a node that has nothing and is stopped. Errors: `core/node-missing`, `core/node-in-use`, `core/node-up`. */
  retire(request: { readonly node: string }, call: Call): Promise<void>;
  /**
   * Lets locks be given again after the cluster's store forgot: every node that a shared pool names says that it runs no
   * command, or was fenced since. Those that said so. Errors: `core/members-unproven`.
   */
  recover(call: Call): Promise<readonly string[]>;
  health(): Health;
}

export const Nodes = one<Nodes>('nodes');
