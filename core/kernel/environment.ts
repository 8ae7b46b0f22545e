// `SLTV_*`: each variable belongs to core or to a plugin, sets options above the file's, and is an error when nobody owns it.
import { nearest } from '../nearest.ts';
import { DEFAULT_SOCKET } from './config.ts';
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
  const problems: string[] = [];
  let value = options;
  for (const [name, { path, put }] of Object.entries(CORE)) {
    const word = env[name];
    if (!word) continue;
    const before = isRecord(value) ? value : {};
    try {
      value = { ...before, ...put(word, before, env) };
      setBy.set(typeof path === 'string' ? path : path(before), name);
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { value, setBy, problems };
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

type Options = Readonly<Record<string, unknown>>;

interface CoreVariable {
  /** The option it sets in options as they are before. */
  readonly path: string | ((options: Options) => string);
  /** Throws a sentence. */
  readonly put: (word: string, options: Options, env: Environment) => Options;
}

const CORE: Readonly<Record<string, CoreVariable>> = {
  // The first listener of the kind moves and keeps its group and role: whoever could use the old place may use the new one.
  SLTV_LISTEN_UNIX: {
    path: ({ listen }) => `listen[${placeOf('unix', listen).at}].unix`,
    put: (unix, { listen }) => ({ listen: moved(placeOf('unix', listen), { unix }) }),
  },
  SLTV_LISTEN_TCP: {
    path: ({ listen }) => `listen[${placeOf('tcp', listen).at}].tcp`,
    put: (tcp, { listen }, env) => ({ listen: moved(placeOf('tcp', listen), { tcp, ...tlsFor(listen, env) }) }),
  },
  SLTV_STATE_DIR: { path: 'stateDir', put: (stateDir) => ({ stateDir }) },
  SLTV_NODE_ID: { path: 'nodeId', put: (nodeId) => ({ nodeId }) },
  SLTV_LOG_LEVEL: { path: 'log.level', put: (level, { log }) => ({ log: { ...(isRecord(log) ? log : {}), level } }) },
  SLTV_LOG_FORMAT: {
    path: 'log.format',
    put: (format, { log }) => ({ log: { ...(isRecord(log) ? log : {}), format } }),
  },
};

interface Place {
  readonly all: readonly unknown[];
  readonly at: number;
}

/** Where the first listener of a kind stands, or would. */
function placeOf(kind: 'unix' | 'tcp', listen: unknown): Place {
  const all: readonly unknown[] = Array.isArray(listen) ? listen : [{ unix: DEFAULT_SOCKET }];
  const isTcp = (listener: unknown) => isRecord(listener) && 'tcp' in listener;
  const at = all.findIndex((listener) => isTcp(listener) === (kind === 'tcp'));
  return { all, at: at < 0 ? all.length : at };
}

function moved({ all, at }: Place, change: Options): readonly unknown[] {
  const before = all[at];
  const after = { ...(isRecord(before) ? before : {}), ...change };
  return at < all.length ? all.with(at, after) : [...all, after];
}

/** A port that the config has no listener for needs files, too. */
function tlsFor(listen: unknown, env: Environment): Options {
  const { all, at } = placeOf('tcp', listen);
  const before = all[at];
  const own = isRecord(before) && isRecord(before.tls) ? before.tls : {};
  const files = { cert: env.SLTV_TLS_CERT, key: env.SLTV_TLS_KEY, ca: env.SLTV_TLS_CA };
  const tls: Options = { ...own, ...Object.fromEntries(Object.entries(files).filter(([, path]) => path)) };
  if (tls.cert !== undefined && tls.key !== undefined) return { tls };
  throw new Error(
    "TCP comes with TLS: name the daemon's certificate in SLTV_TLS_CERT, its key in SLTV_TLS_KEY and the authority of the clients' certificates in SLTV_TLS_CA, or write a listener with tcp and tls into the config",
  );
}

/** What the client and the loader read. */
const CLIENT = [
  'SLTV_ADDR',
  'SLTV_TIMEOUT',
  'SLTV_CONFIG',
  'SLTV_TLS_CERT',
  'SLTV_TLS_KEY',
  'SLTV_TLS_CA',
  'SLTV_TLS_SERVER_NAME',
];
/** What the project's own tests use. */
const OTHERS = /^SLTV_TEST/;

/** Variables of hosts that ran the daemon's predecessor, for which this one has no use yet: what to say. */
const LATER: Readonly<Record<string, (word: string) => string | undefined>> = {
  SLTV_CLUSTER_ENABLED: (word) =>
    /^(false|0|no|off)$/i.test(word)
      ? undefined
      : 'no plugin in the config makes a cluster; unset it or add one that does',
};
