// 'sltv': all that a plugin or a config imports of ours.
export * as v from 'valibot';
export * from './capabilities/cluster.ts';
export * from './capabilities/disks.ts';
export * from './capabilities/hypervisor.ts';
export * from './capabilities/locks.ts';
export * from './capabilities/metrics.ts';
export * from './capabilities/nodes.ts';
export * from './capabilities/storage.ts';
export { type ErrorDetail, type Errors, errors, type Kind, SltvError } from './errors.ts';
export { syncDirectory, writeDurably } from './files.ts';
export {
  type Capability,
  type Event,
  EventTold,
  event,
  type Gate,
  gate,
  many,
  one,
  type Refusal,
  type Shown,
  type Told,
} from './kernel/capability.ts';
export { type Config, defineConfig } from './kernel/config.ts';
export { definePlugin, type Plugin, type PluginFactory, type Setup } from './kernel/plugin.ts';
export {
  type Answer,
  type Call,
  type Field,
  type Fields,
  type Role,
  type Values,
  type Verb,
  verb,
} from './kernel/verb.ts';
export { createLog, type Log } from './log.ts';
export type { Node } from './node.ts';
export { patiently } from './patiently.ts';
export { createQueue, type Queue } from './queue.ts';
export { createRunner, type Finished, lockFile, type Runner } from './run.ts';
export { formatSize, GiB, KiB, larger, MiB, parseSize, roundUp, smaller, TiB } from './units.ts';
