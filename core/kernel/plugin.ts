// The plugin contract. A plugin is a value, and so is everything that crosses its boundary.
import type { GenericSchema, InferInput, InferOutput } from 'valibot';
import type { Errors, Kind } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Node } from '../node.ts';
import type { Runner } from '../run.ts';
import type { Capabilities, Event, Gate, Provided, Refusal, Uses } from './capability.ts';
import type { Answer, Verbs } from './verb.ts';

/** What a plugin works with while the daemon lives. */
export interface Setup<Options, R extends Capabilities, A extends Capabilities> {
  readonly options: Options;
  readonly use: Uses<R, A>;
  readonly log: Log;
  /** The one way to start a process. */
  readonly run: Runner;
  /** Who this host is, and where it keeps what survives a reboot and what does not. */
  readonly node: Node;
  /** Fires when the daemon stops. */
  readonly signal: AbortSignal;
  /** Observes: each observer runs apart; its failure is logged and changes nothing. */
  on<T>(event: Event<T>, see: (what: T) => void | Promise<void>): void;
  /** May refuse, with a reason; an error or a timeout refuses too. Never asked about an automatic extension. */
  before<T>(
    gate: Gate<T>,
    judge: (what: T, signal: AbortSignal) => Refusal | undefined | Promise<Refusal | undefined>,
  ): void;
  emit<T>(event: Event<T>, what: T): void;
  /** Asks everybody who guards a gate, in order; throws `core/gate-refused` with the first reason. */
  ask<T>(gate: Gate<T>, what: T, signal: AbortSignal): Promise<void>;
  /** Undone in reverse order when the daemon stops, also after a setup that failed half-way. */
  defer(undo: () => void | Promise<void>): void;
}

// `{}` is left out of the return type where nothing is declared, so that a hook-only plugin returns nothing.
type Returns<P extends Capabilities, V extends Verbs> = (keyof P extends never
  ? { provides?: undefined }
  : { provides: Provided<P> }) &
  (keyof V extends never ? { verbs?: undefined } : { verbs: { [K in keyof V]: Answer<V[K]> } });
// biome-ignore lint/suspicious/noConfusingVoidType: it is only ever setup's return type, where nothing need be returned.
type Result<P extends Capabilities, V extends Verbs> = keyof P | keyof V extends never ? void : Returns<P, V>;

export interface Definition<
  N extends string,
  S extends GenericSchema,
  R extends Capabilities,
  A extends Capabilities,
  P extends Capabilities,
  V extends Verbs,
> {
  readonly name: N;
  /** The plugin's own version, for `sltv plugin list`. */
  readonly version?: string;
  /** The version of this contract that it was written for. */
  readonly api: 1;
  /** A valibot strictObject: a misspelt key is an error. */
  readonly options?: S;
  /** Environment variables that it owns, each mapped to the options it sets; environment beats file. */
  readonly env?: Readonly<Record<`SLTV_${string}`, (word: string) => Partial<InferInput<S>>>>;
  readonly errors?: Errors<NoInfer<N>, Readonly<Record<string, Kind>>>;
  /** Capabilities without which it can't be; providers are set up first. A `many` needs at least one. */
  readonly requires?: R;
  /** Capabilities that it uses where they are; those of kind `many` may be empty. */
  readonly accepts?: A;
  readonly provides?: P;
  /** Its words begin with its own name: `hello greet`. */
  readonly verbs?: V & { readonly [K in keyof V]: K extends `${NoInfer<N>} ${string}` ? unknown : never };
  setup(context: Setup<InferOutput<S>, R, A>): Result<P, V> | Promise<Result<P, V>>;
}

/** What stands in `plugins: [...]`: a definition with the options it was given. Opaque to the config. */
export interface Plugin {
  readonly name: string;
  readonly given: unknown;
  readonly definition: unknown;
}
// biome-ignore lint/complexity/noBannedTypes: asks whether `{}` would do as options: whether all of them may be left out.
type Args<S extends GenericSchema> = {} extends InferInput<S> ? [options?: InferInput<S>] : [options: InferInput<S>];
export type PluginFactory<N extends string, S extends GenericSchema> = (
  ...options: Args<S>
) => Plugin & { readonly name: N };

type None = Record<never, never>;
/** Declares a plugin; what comes back is called in the config with the plugin's options. */
export function definePlugin<
  const N extends string,
  S extends GenericSchema = GenericSchema<None>,
  R extends Capabilities = None,
  A extends Capabilities = None,
  P extends Capabilities = None,
  V extends Verbs = None,
>(definition: Definition<N, S, R, A, P, V>): PluginFactory<N, S> {
  return (...[given]) => ({ name: definition.name, given: given ?? {}, definition });
}
