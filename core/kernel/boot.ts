// Boots plugins in the order of their capabilities and undoes them in reverse.
import { asSltvError, coreErrors, SltvError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Node } from '../node.ts';
import type { Runner } from '../run.ts';
import { type Behalf, createBehalf } from './behalf.ts';
import { type BootedVerb, bootedVerb } from './booted-verb.ts';
import type { Bus } from './bus.ts';
import type { Capabilities, Capability, Event } from './capability.ts';
import { type AnyDefinition, isRecord, type SettledPlugin } from './definition.ts';
import { misfits, order, restrict } from './order.ts';
import type { Setup } from './plugin.ts';
import type { Verbs } from './verb.ts';

export interface BootOptions {
  readonly plugins: readonly SettledPlugin[];
  readonly bus: Bus;
  readonly node: Node;
  readonly run: Runner;
  readonly log: Log;
  /** Only the providers of these, with what they can't be without; everything else stays down. */
  readonly only?: readonly Capability<unknown>[] | undefined;
  /** Gives the boot up; what was set up is undone. */
  readonly signal?: AbortSignal | undefined;
  /** Knows which plugin runs, for whoever hears of what one leaves behind. */
  readonly behalf?: Behalf;
  readonly patience?: Patience;
}

/** Milliseconds after which the log says for whom everything waits. Nobody is given up: who knows what they still write. */
export interface Patience {
  /** For core's own this may take as long as it takes to wipe what a crash left. */
  readonly setup: number;
  /** Before a plugin has let go, those that it uses have to stay; the daemon ends by its own clock. */
  readonly undo: number;
}

const PATIENCE: Patience = { setup: 10_000, undo: 1_000 };

/** Plugins that are up, as the daemon, the API and the CLI see them. */
export interface Booted {
  /** What the one provider provides; undefined when no plugin does. */
  provided<T>(capability: Capability<T, 'one'>): T | undefined;
  /** What all providers provide, in the order of the config. */
  all<T>(capability: Capability<T, 'many'>): readonly T[];
  /** By their words: `hello greet`. */
  readonly verbs: ReadonlyMap<string, BootedVerb>;
  describe(): readonly PluginDescription[];
  emit<T>(event: Event<T>, what: T): void;
  on<T>(event: Event<T>, see: (what: T) => void | Promise<void>): void;
  /** Fires the plugins' signal and undoes everything in reverse; a failure to undo is logged. Twice is once. */
  stop(): Promise<void>;
}

export interface PluginDescription {
  readonly name: string;
  readonly version: string | undefined;
  readonly provides: readonly string[];
  readonly requires: readonly string[];
  readonly verbs: Verbs;
  /** Codes as users meet them, `lvm/no-space`, each with its kind. */
  readonly errors: Readonly<Record<string, string>>;
}

/** Errors: `core/config` when the plugins don't fit together; what a setup threw, with the plugin's name. */
export async function boot(options: BootOptions): Promise<Booted> {
  const definitions = options.plugins.map(({ definition }) => definition);
  const problems = misfits(definitions);
  if (problems.length > 0) throw coreErrors('config', problems.join('\n'), { hint: 'sltv config check' });

  const settled = new Map(options.plugins.map((plugin) => [plugin.definition, plugin]));
  const chosen = order(options.only === undefined ? definitions : restrict(definitions, options.only));
  const provided = new Map<string, Map<AnyDefinition, unknown>>();
  const verbs = new Map<string, BootedVerb>();
  const undo = new AsyncDisposableStack();
  const { behalf = createBehalf(), patience = PATIENCE } = options;
  const life = new AbortController();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    life.abort();
    stopped ??= undo.disposeAsync();
    return stopped;
  };
  /** In the order of the config, whatever the order of setup was. */
  const valuesOf = (id: string): readonly unknown[] => {
    const values = provided.get(id);
    return definitions.flatMap((plugin) => (values?.has(plugin) ? [values.get(plugin)] : []));
  };

  const giveUp = () => life.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', giveUp);
  try {
    options.signal?.throwIfAborted();
    for (const plugin of chosen) {
      const context = contextOf(plugin, settled.get(plugin)?.options, {
        ...options,
        undo,
        life,
        valuesOf,
        behalf,
        patience,
      });
      const result = checkedResult(plugin, await behalf.run(plugin.name, () => setUp(plugin, context, patience.setup)));
      for (const [key, { id }] of Object.entries(plugin.provides ?? {})) {
        provided.set(id, (provided.get(id) ?? new Map()).set(plugin, result.provides[key]));
      }
      for (const [words, verb] of Object.entries(plugin.verbs ?? {})) {
        verbs.set(words, bootedVerb(plugin.name, words, verb, result.verbs[words], behalf));
      }
      life.signal.throwIfAborted();
    }
  } catch (error) {
    await stop();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', giveUp);
  }
  return {
    // A capability's id and its type are declared together, and only its providers put values under the id.
    provided: <T>({ id }: Capability<T, 'one'>) => valuesOf(id)[0] as T | undefined,
    all: <T>({ id }: Capability<T, 'many'>) => valuesOf(id) as readonly T[],
    verbs,
    describe: () => chosen.map(describe),
    emit: options.bus.emit,
    on: (event, see) => options.bus.on('core', event, see),
    stop,
  };
}

interface Life {
  readonly undo: AsyncDisposableStack;
  readonly life: AbortController;
  readonly valuesOf: (id: string) => readonly unknown[];
  readonly behalf: Behalf;
  readonly patience: Patience;
}

function contextOf(
  { name, requires, accepts }: AnyDefinition,
  options: unknown,
  { bus, node, run, log, undo, life, valuesOf, behalf, patience }: BootOptions & Life,
): Setup<unknown, Capabilities, Capabilities> {
  const own = log.with({ plugin: name });
  const use = Object.entries({ ...requires, ...accepts }).map(([key, { id, arity }]) => [
    key,
    arity === 'many' ? valuesOf(id) : valuesOf(id)[0],
  ]);
  return {
    options,
    use: Object.fromEntries(use),
    log: own,
    run,
    node,
    signal: life.signal,
    on: (event, see) => bus.on(name, event, (what) => behalf.run(name, () => see(what))),
    before: (gate, judge) => bus.before(name, gate, (what, signal) => behalf.run(name, () => judge(what, signal))),
    emit: bus.emit,
    ask: bus.ask,
    defer: (work) => {
      undo.defer(async () => {
        try {
          const tell = () => own.warn(`plugin ${name} has not let go yet: what it may still use waits for it`);
          await toldWhenSlow(patience.undo, tell, async () => behalf.run(name, work));
        } catch (error) {
          own.error(`plugin ${name} could not undo what it had set up`, { error });
        }
      });
    },
  };
}

async function setUp(
  plugin: AnyDefinition,
  context: Setup<unknown, Capabilities, Capabilities>,
  patience: number,
): Promise<unknown> {
  const tell = () => context.log.warn(`plugin ${plugin.name} is still being set up: the daemon waits for it`);
  try {
    return await toldWhenSlow(patience, tell, async () => plugin.setup(context));
  } catch (cause) {
    const { kind, code, message, hint } = asSltvError(cause);
    throw new SltvError(kind, code, `plugin ${plugin.name} could not start: ${message}`, { hint, cause });
  }
}

/** Waits for the work as long as it takes, and tells once when that is longer than one would think. */
async function toldWhenSlow<T>(milliseconds: number, tell: () => void, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(tell, milliseconds);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** Holds a plugin to its declaration: types can't stop one that declares nothing from returning something. */
function checkedResult(
  plugin: AnyDefinition,
  result: unknown,
): { provides: Readonly<Record<string, unknown>>; verbs: Readonly<Record<string, unknown>> } {
  const { provides, verbs } = isRecord(result) ? result : {};
  const given = { provides: isRecord(provides) ? provides : {}, verbs: isRecord(verbs) ? verbs : {} };
  for (const part of ['provides', 'verbs'] as const) {
    const declared = Object.keys(plugin[part] ?? {});
    const missing = declared.find((key) => given[part][key] === undefined);
    const extra = Object.keys(given[part]).find((key) => !declared.includes(key));
    if (missing !== undefined) throw broken(plugin, `declares ${part} '${missing}', but its setup did not return it`);
    if (extra !== undefined) throw broken(plugin, `returned ${part} '${extra}' from its setup without declaring it`);
  }
  return given;
}

function broken(plugin: AnyDefinition, fault: string): SltvError {
  return coreErrors('config', `plugin ${plugin.name} ${fault}`, { hint: `take another version of ${plugin.name}` });
}

function describe({ name, version, provides, requires, verbs, errors }: AnyDefinition): PluginDescription {
  const ids = (capabilities: Capabilities | undefined) => Object.values(capabilities ?? {}).map(({ id }) => id);
  const codes = Object.entries(errors?.codes ?? {}).map(([code, kind]) => [`${errors?.namespace}/${code}`, kind]);
  return {
    name,
    version,
    provides: ids(provides),
    requires: ids(requires),
    verbs: verbs ?? {},
    errors: Object.fromEntries(codes),
  };
}
