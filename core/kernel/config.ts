// What `sltv.config.ts` may say: core's own options, checked at once with every plugin's.
import * as v from 'valibot';
import { Listener } from './listener.ts';
import { Bytes, Count, Milliseconds, Part, Path, Size } from './option-values.ts';
import type { Plugin } from './plugin.ts';

/** What callers may ask of the daemon's memory and time. */
export const Limits = v.strictObject({
  messageSize: v.pipe(
    v.optional(Bytes(1024n, 256n * 1024n ** 2n), '1M'),
    v.description("most bytes of one request's message; above it `core/too-large`"),
  ),
  headerSize: v.pipe(
    v.optional(Bytes(1024n, 1024n ** 2n), '16K'),
    v.description("most bytes of one request's headers"),
  ),
  connections: v.pipe(
    v.optional(Count, 1_024),
    v.description(
      'connections to one listener at once. The one that is idle longest makes way for a new one; where none is idle: `core/overloaded`. An idle one takes some 5 KB, with TLS some 75',
    ),
  ),
  calls: v.pipe(
    v.optional(Count, 256),
    v.description('calls in hand at once, over all listeners; above it `core/overloaded`'),
  ),
  callsPerConnection: v.pipe(
    v.optional(Count, 100),
    v.description('calls in hand by one HTTP/2 connection; its client holds further ones back'),
  ),
  requestTimeout: v.pipe(
    v.optional(Milliseconds, 30_000),
    v.description('milliseconds for a request to come whole: the handshake, the headers, the body'),
  ),
  unreadTimeout: v.pipe(
    v.optional(Milliseconds, 30_000),
    v.description('milliseconds that a client may leave its answer unread; then the call is ended'),
  ),
  idleTimeout: v.pipe(
    v.optional(Milliseconds, 300_000),
    v.description('milliseconds that a connection may be open without a call'),
  ),
});
export type Limits = v.InferOutput<typeof Limits>;

export const DEFAULT_SOCKET = '/run/sltv/sltvd.sock';
export const DEFAULT_STATE_DIR = '/var/lib/sltv';

const OVERCOMMIT = 'expected how many times its size a pool may promise, at least 1';

/** How a host that is silent is turned off from outside. */
const FenceAgent = v.strictObject({
  command: v.pipe(
    v.array(v.pipe(v.string(), v.nonEmpty('a word is expected'))),
    v.minLength(1, "the agent's name is expected, such as ['fence_ipmilan']"),
    v.title('a list of words'),
    v.metadata({ default: 'none', see: 'clustering.md#fencing' }),
    v.description(
      "the fence agent that turns a silent host off, and its words: `['fence_ipmilan']`. `{node}` stands for the node's name, here and in the options. Without one, whoever fences a node vouches that it is off",
    ),
  ),
  options: v.pipe(
    v.optional(v.record(v.string(), v.string()), {}),
    v.description(
      "what the agent reads besides `action=off` and `plug={node}`: `{ ip: '{node}-bmc', username: 'admin' }`",
    ),
  ),
  timeout: v.pipe(v.optional(Milliseconds, 60_000), v.description('milliseconds that the agent may take')),
});

export const CoreOptions = v.strictObject({
  listen: v.pipe(
    v.optional(v.pipe(v.array(Listener), v.minLength(1, 'the daemon needs a socket to answer on')), [
      { unix: DEFAULT_SOCKET },
    ]),
    v.metadata({ default: 'one, as below', see: 'security.md' }),
    v.description('where the daemon answers: Unix sockets and TCP ports'),
  ),
  limits: v.optional(Limits, {}),
  nodeId: v.pipe(
    v.optional(
      v.pipe(
        v.string(),
        v.regex(
          /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
          'expected letters, digits, dots, dashes and underscores, at most 63',
        ),
      ),
    ),
    v.metadata({ default: 'the host name at the first start', see: 'decisions/0004-node-id-fixed-at-first-start.md' }),
    v.description("this host's name in the storage's notes, fixed at the first start"),
  ),
  stateDir: v.pipe(
    v.optional(Path, DEFAULT_STATE_DIR),
    v.description(
      'survives a reboot: node id, request journal, what other nodes were promised, the default directory pool',
    ),
  ),
  runDir: v.pipe(v.optional(Path, '/run/sltv'), v.description('emptied by a reboot: locks of commands that write')),
  defaultPool: v.pipe(
    v.optional(v.string()),
    v.metadata({ default: 'the first pool of the first storage plugin that has one' }),
    v.description('where disks go that name no pool'),
  ),
  thinInitialSize: v.pipe(v.optional(Size, '10G'), v.description('first physical size of a thin disk')),
  reserve: v.pipe(
    v.optional(Part, '5%'),
    v.metadata({ see: '#room-for-thin-disks-that-grow' }),
    v.description('what a new disk leaves free in a pool that has thin disks; `0` keeps nothing'),
  ),
  overcommit: v.pipe(
    v.optional(v.pipe(v.number(), v.finite(OVERCOMMIT), v.minValue(1, OVERCOMMIT), v.title('a number, at least 1'))),
    v.metadata({ default: 'no limit', see: '#room-for-thin-disks-that-grow' }),
    v.description("how many times its size a pool's disks may promise to their guests, all together"),
  ),
  cluster: v.optional(
    v.strictObject({
      fence: v.optional(FenceAgent),
      whenFenced: v.pipe(
        v.optional(v.picklist(['destroy', 'alarm']), 'destroy'),
        v.description(
          'what a host that was fenced and lives does with guests whose disks others may have: `destroy` ends them, `alarm` only tells of them',
        ),
      ),
    }),
    {},
  ),
  log: v.optional(
    v.strictObject({
      level: v.pipe(
        v.optional(v.picklist(['debug', 'info', 'warn', 'error']), 'info'),
        v.description('the least that is logged'),
      ),
      format: v.pipe(
        v.optional(v.picklist(['json', 'text'])),
        v.metadata({ default: '`text` on a terminal, else `json`' }),
        v.description('one JSON object a line, or lines for people'),
      ),
    }),
    {},
  ),
});

export type CoreOptions = v.InferOutput<typeof CoreOptions>;

/** The whole file. */
export type Config = v.InferInput<typeof CoreOptions> & { readonly plugins: readonly Plugin[] };

/** What `export default` of an `sltv.config.ts` is. */
export const defineConfig = (config: Config): Config => config;
