// `SLTV_*`: each variable belongs to core or to a plugin, sets options above the file's, and is an error when nobody owns it.
import { nearest } from '../nearest.ts';
import { type AnyDefinition, isRecord } from './definition.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Options with the environment's put over them, and which variable set what. */
export interface Overridden {
  readonly value: unknown;
  /** From the path of an option (`log.level`, `vgs`) to the variable that set it. */
  readonly setBy: ReadonlyMap<string, string>;
  /** Sentences. */
  readonly problems: readonly string[];
}

/** Puts core's own variables over core's part of the config. */
export function overrideCore(options: unknown, env: Environment): Overridden {
  const setBy = new Map<string, string>();
  let value = options;
  for (const [name, { path, put }] of Object.entries(CORE)) {
    const word = env[name];
    if (!word) continue;
    value = { ...(isRecord(value) ? value : {}), ...put(word, isRecord(value) ? value : {}) };
    setBy.set(path, name);
  }
  return { value, setBy, problems: [] };
}

/** Puts the variables that a plugin owns over the options it was given. */
export function overridePlugin(plugin: AnyDefinition, given: unknown, env: Environment): Overridden {
  const setBy = new Map<string, string>();
  const problems: string[] = [];
  let value = given;
  for (const [name, options] of Object.entries(plugin.env ?? {})) {
    const word = env[name];
    if (!word) continue;
    try {
      const set = options(word);
      if (!isRecord(set)) continue;
      value = { ...(isRecord(value) ? value : {}), ...set };
      for (const key of Object.keys(set)) setBy.set(key, name);
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { value, setBy, problems };
}

/** The variables that are set and that neither core nor one of these plugins owns. `known` could be added. */
export function strangers(
  env: Environment,
  plugins: readonly AnyDefinition[],
  known: ReadonlyMap<string, AnyDefinition>,
): readonly string[] {
  const owned = new Set([
    ...Object.keys(CORE),
    ...CLIENT,
    ...plugins.flatMap((plugin) => Object.keys(plugin.env ?? {})),
  ]);
  return Object.keys(env)
    .filter((name) => name.startsWith('SLTV_') && env[name] && !owned.has(name) && !OTHERS.test(name))
    .sort()
    .flatMap((name) => {
      const later = LATER[name];
      if (later !== undefined) return later(env[name] ?? '') ? [`${name}: ${later(env[name] ?? '')}`] : [];
      const owners = [...known].filter(([, plugin]) => plugin.env !== undefined && name in plugin.env);
      if (owners.length > 0) {
        const words = owners.map(([call]) => call).join(' or ');
        return [`${name}: no plugin in the config takes it; add ${words} to plugins, or unset it`];
      }
      const meant = nearest(name, owned);
      return [`${name}: there is no such setting; ${meant === undefined ? 'unset it' : `did you mean ${meant}?`}`];
    });
}

interface CoreVariable {
  /** The option it sets. */
  readonly path: string;
  readonly put: (word: string, options: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

const CORE: Readonly<Record<string, CoreVariable>> = {
  // The first listener moves and keeps its group and role: whoever could use the old path may use the new one.
  SLTV_LISTEN_UNIX: { path: 'listen[0].unix', put: (unix, { listen }) => ({ listen: moveFirst(listen, unix) }) },
  SLTV_STATE_DIR: { path: 'stateDir', put: (stateDir) => ({ stateDir }) },
  SLTV_NODE_ID: { path: 'nodeId', put: (nodeId) => ({ nodeId }) },
  SLTV_LOG_LEVEL: { path: 'log.level', put: (level, { log }) => ({ log: { ...(isRecord(log) ? log : {}), level } }) },
  SLTV_LOG_FORMAT: {
    path: 'log.format',
    put: (format, { log }) => ({ log: { ...(isRecord(log) ? log : {}), format } }),
  },
};

function moveFirst(listen: unknown, unix: string): readonly unknown[] {
  const [first, ...rest]: readonly unknown[] = Array.isArray(listen) ? listen : [];
  return [{ ...(isRecord(first) ? first : {}), unix }, ...rest];
}

/** What the client and the loader read. */
const CLIENT = ['SLTV_ADDR', 'SLTV_TIMEOUT', 'SLTV_CONFIG'];
/** The client's TLS files, and what the project's own tests use. */
const OTHERS = /^SLTV_(TLS_|TEST)/;

/** Variables of hosts that ran the daemon's predecessor, for which this one has no use yet: what to say. */
const LATER: Readonly<Record<string, (word: string) => string | undefined>> = {
  SLTV_LISTEN_TCP: () =>
    'the daemon answers on Unix sockets only, because TCP would need TLS; unset it and reach the socket through ssh',
  SLTV_CLUSTER_ENABLED: (word) =>
    /^(false|0|no|off)$/i.test(word)
      ? undefined
      : 'no plugin in the config makes a cluster; unset it or add one that does',
};
