// 'sltv/testing': what every provider of a capability is held to, ours and yours. Each suite is a function that takes a
// factory and answers with cases for whatever runs your tests:
//
//   for (const { title, run } of storageConformance({ name: 'mine', activation: 'always', make })) test(title, run);
//
// or nothing but `sltv plugin test FILE`: plugin.ts says what it wants to know.
export type { Bench, Up } from './bench.ts';
export type { Case, Subject } from './case.ts';
export { type ClusterSubject, type ClusterUnderTest, clusterConformance, type NodeUnderTest } from './cluster.ts';
export { type HypervisorUnderTest, hypervisorConformance, type Source, type TightSource } from './hypervisor.ts';
export { type LocksSubject, type LocksUnderTest, locksConformance } from './locks.ts';
export { type MetricsSubject, type MetricsUnderTest, metricsConformance } from './metrics.ts';
export type { Conformance } from './plugin.ts';
export { type StorageSubject, type StorageUnderTest, storageConformance } from './storage.ts';
