// What `sltv.config.ts` may say: core's own options, checked at once with every plugin's.
import * as v from 'valibot';
import { parseSize } from '../units.ts';
import type { Plugin } from './plugin.ts';

/** A size word (`'10G'`) or bytes; 0 and less is no size. */
export const Size = v.pipe(
  v.union([v.string(), v.bigint(), v.pipe(v.number(), v.safeInteger())]),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      const bytes = typeof dataset.value === 'string' ? parseSize(dataset.value) : BigInt(dataset.value);
      if (bytes > 0n) return bytes;
      addIssue({ message: `expected a size above 0, got ${dataset.value}` });
      return NEVER;
    } catch (error) {
      addIssue({ message: error instanceof Error ? error.message : String(error) });
      return NEVER;
    }
  }),
);

/** A size, of which 0 is none, or a part of the whole: `'5%'`. */
export const Part = v.pipe(
  v.union([v.string(), v.bigint(), v.pipe(v.number(), v.safeInteger())]),
  v.rawTransform(({ dataset, addIssue, NEVER }): bigint | `${number}%` => {
    const { value } = dataset;
    const [, percent] = /^(\d+(?:\.\d+)?)\s*%$/.exec(String(value).trim()) ?? [];
    try {
      if (percent !== undefined && Number(percent) <= 100) return `${Number(percent)}%`;
      const bytes = typeof value === 'string' && percent === undefined ? parseSize(value) : BigInt(value);
      if (bytes >= 0n) return bytes;
    } catch {
      // Said below, with the other words that are neither.
    }
    addIssue({ message: `'${value}' is neither a size such as 20G nor a part of the pool such as 5%` });
    return NEVER;
  }),
);

const RoleName = v.picklist(['viewer', 'operator', 'admin']);

/** A Unix socket. `mode` is octal permission bits; without `group` the socket belongs to root alone. */
export const Listener = v.strictObject({
  unix: v.pipe(v.string(), v.startsWith('/', 'a path that begins with / is expected')),
  group: v.optional(v.string()),
  mode: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0o777)), 0o660),
  role: v.optional(RoleName, 'admin'),
});

export const DEFAULT_SOCKET = '/run/sltv/sltvd.sock';
export const DEFAULT_STATE_DIR = '/var/lib/sltv';

const OVERCOMMIT = 'expected how many times its size a pool may promise, at least 1';

/** How a host that is silent is turned off from outside. */
const FenceAgent = v.strictObject({
  /** The agent and its words. `{node}` stands for the node's name, here and in `options`. */
  command: v.pipe(
    v.array(v.pipe(v.string(), v.nonEmpty('a word is expected'))),
    v.minLength(1, "the agent's name is expected, such as ['fence_ipmilan']"),
  ),
  /** What it reads from stdin besides `action=off` and `plug={node}`. */
  options: v.optional(v.record(v.string(), v.string()), {}),
  /** Milliseconds that it may take. */
  timeout: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 60_000),
});

export const CoreOptions = v.strictObject({
  /** Every socket that the daemon answers on, each with what its callers may do. */
  listen: v.optional(v.pipe(v.array(Listener), v.minLength(1, 'the daemon needs a socket to answer on')), [
    { unix: DEFAULT_SOCKET },
  ]),
  /** This host's name in the storage's notes; fixed at the first start. Default: the host name then. */
  nodeId: v.optional(
    v.pipe(
      v.string(),
      v.regex(
        /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
        'expected letters, digits, dots, dashes and underscores, at most 63',
      ),
    ),
  ),
  /** Survives a reboot: node identity, request journal. */
  stateDir: v.optional(
    v.pipe(v.string(), v.startsWith('/', 'a path that begins with / is expected')),
    DEFAULT_STATE_DIR,
  ),
  /** Emptied by a reboot: the locks of children that write. */
  runDir: v.optional(v.pipe(v.string(), v.startsWith('/', 'a path that begins with / is expected')), '/run/sltv'),
  /** Where disks go that name no pool. Default: the first pool of the first storage plugin that has one. */
  defaultPool: v.optional(v.string()),
  /** First physical size of a thin disk. */
  thinInitialSize: v.optional(Size, '10G'),
  /** What new disks leave free in a pool that has thin disks, so that those can grow. */
  reserve: v.optional(Part, '5%'),
  /** How many times a pool's size its disks may promise to their guests, all together. Default: any. */
  overcommit: v.optional(v.pipe(v.number(), v.finite(OVERCOMMIT), v.minValue(1, OVERCOMMIT))),
  /** What is done about nodes; for hosts that share pools. */
  cluster: v.optional(
    v.strictObject({
      /** Default: none; whoever fences a node vouches that it is off. */
      fence: v.optional(FenceAgent),
      /** What this node does with guests whose disks others may have, when it finds that it was fenced and lives. */
      whenFenced: v.optional(v.picklist(['destroy', 'alarm']), 'destroy'),
    }),
    {},
  ),
  log: v.optional(
    v.strictObject({
      level: v.optional(v.picklist(['debug', 'info', 'warn', 'error']), 'info'),
      /** Default: text on a terminal, else JSON lines. */
      format: v.optional(v.picklist(['json', 'text'])),
    }),
    {},
  ),
});

export type CoreOptions = v.InferOutput<typeof CoreOptions>;

/** The whole file. */
export type Config = v.InferInput<typeof CoreOptions> & { readonly plugins: readonly Plugin[] };

/** What `export default` of an `sltv.config.ts` is. */
export const defineConfig = (config: Config): Config => config;
