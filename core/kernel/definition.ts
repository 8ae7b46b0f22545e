// A plugin as the kernel sees it: of unlike types in one list, each checked by definePlugin when it was written.
import type { GenericSchema } from 'valibot';
import type { Kind } from '../errors.ts';
import type { Capabilities } from './capability.ts';
import type { Plugin, Setup } from './plugin.ts';
import type { Verbs } from './verb.ts';

/** The version of the plugin contract that this kernel keeps. */
export const CONTRACT = 1;

/** What definePlugin was given, its types forgotten. */
export interface AnyDefinition {
  readonly name: string;
  readonly version?: string;
  readonly api: number;
  readonly options?: GenericSchema;
  readonly env?: Readonly<Record<string, (word: string) => unknown>>;
  readonly errors?: { readonly namespace: string; readonly codes: Readonly<Record<string, Kind>> };
  readonly requires?: Capabilities;
  readonly accepts?: Capabilities;
  readonly provides?: Capabilities;
  readonly verbs?: Verbs;
  setup(context: Setup<unknown, Capabilities, Capabilities>): unknown;
}

/** A plugin whose options were checked: ready to be set up. */
export interface SettledPlugin {
  readonly definition: AnyDefinition;
  readonly options: unknown;
}

/** Opens what a config lists; a sentence when it isn't a plugin at all. */
export function definitionOf(item: unknown): AnyDefinition | string {
  if (typeof item === 'function') return `is a function: call it, as in ${item.name || 'lvm'}()`;
  if (!isPlugin(item)) return `is not a plugin: expected what a plugin's factory gives, such as lvm()`;
  // True of whatever definePlugin made; from plain JavaScript it may lie, as every value there may.
  return item.definition as AnyDefinition;
}

function isPlugin(item: unknown): item is Plugin {
  if (!isRecord(item) || typeof item.name !== 'string' || !isRecord(item.definition)) return false;
  const { name, setup } = item.definition;
  return name === item.name && typeof setup === 'function';
}

/** Whether a value has keys that may be asked for. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
