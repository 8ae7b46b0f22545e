// What a Cluster promises: core/capabilities/cluster.ts, as facts.
import type { Cluster, Place } from '../capabilities/cluster.ts';
import type { Locks } from '../capabilities/locks.ts';
import { type Case, casesOf, type Subject } from './case.ts';
import { boundaryChecks, forgettingChecks } from './cluster/ends.ts';
import { memberChecks } from './cluster/members.ts';
import { questionChecks } from './cluster/questions.ts';

/** A daemon, as one node has it. */
export interface NodeUnderTest {
  readonly cluster: Cluster;
  /** Those of the same provider. */
  readonly locks: Locks;
  readonly place: Place;
  /** Ends it as a power cut would. It is not up any more within the case's patience, and nothing proves that it is over. */
  crash(): Promise<void>;
}

export interface ClusterUnderTest extends AsyncDisposable {
  /** A node of this name, in a boot that never was before; it has not joined. All share one store. */
  open(node: string): Promise<NodeUnderTest>;
}

/** Beside the factory, what else the suite can find out where you can help it; what isn't given isn't tested. */
export interface ClusterSubject<T extends ClusterUnderTest> extends Subject<T> {
  /** Makes the store what it was before `work`, as a backup that is restored would, and its nodes notice. */
  forget?(made: T, work: () => Promise<void>): Promise<void>;
}

/** The cases that any provider of Cluster must pass. */
export function clusterConformance<T extends ClusterUnderTest>(subject: ClusterSubject<T>): readonly Case[] {
  const { forget } = subject;
  return casesOf<T>(subject, {
    ...memberChecks,
    ...questionChecks,
    ...boundaryChecks,
    ...(forget ? forgettingChecks(forget) : {}),
  });
}
