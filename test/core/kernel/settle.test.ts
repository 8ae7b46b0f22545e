import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { one } from '../../../core/kernel/capability.ts';
import { definitionOf } from '../../../core/kernel/definition.ts';
import { definePlugin } from '../../../core/kernel/plugin.ts';
import { configError, settle, type Unsettled } from '../../../core/kernel/settle.ts';

const Locks = one<string>('locks');
const lvm = definePlugin({
  name: 'lvm',
  api: 1,
  options: v.strictObject({
    vgs: v.optional(v.array(v.string()), ['vg-sltv']),
    wipe: v.optional(v.picklist(['zero', 'none']), 'none'),
    policy: v.optional(
      v.strictObject({ percent: v.pipe(v.number(), v.maxValue(100, 'at most 100')), step: v.function() }),
    ),
  }),
  env: {
    SLTV_DEFAULT_VG: (vg) => ({ vgs: [vg] }),
    SLTV_WIPE: (word) => {
      if (word === 'never') throw new Error('write zero or none');
      return { wipe: word as 'zero' };
    },
  },
  setup() {},
});
const bare = definePlugin({ name: 'bare', api: 1, setup() {} });
const needy = definePlugin({ name: 'needy', api: 1, requires: { locks: Locks }, setup() {} });
const locks = definePlugin({
  name: 'local-lock',
  api: 1,
  provides: { locks: Locks },
  setup: () => ({ provides: { locks: 'here' } }),
});

function known() {
  const definition = definitionOf(locks());
  const etcd = { name: 'etcd-lock', api: 1, env: { SLTV_LOCK_TTL: () => ({}) }, setup() {} };
  return typeof definition === 'string'
    ? new Map()
    : new Map([
        ['localLock()', definition],
        ['etcdLock()', etcd],
      ]);
}

const judge = (config: unknown, more: Partial<Unsettled> = {}) =>
  settle({ config, isFile: true, env: {}, known: known(), own: async () => [], ...more });

async function problems(config: unknown, more: Partial<Unsettled> = {}): Promise<readonly string[]> {
  const result = await judge(config, more);
  return 'problems' in result ? result.problems : [];
}
async function settings(config: unknown, more: Partial<Unsettled> = {}): Promise<Record<string, unknown[]>> {
  const result = await judge(config, more);
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return Object.fromEntries(result.settled.settings.map(({ path, value, from }) => [path, [value, from]]));
}

/** What JavaScript can say where TypeScript would not. */
const wrongly = (options: object) => ({ ...lvm(), given: options });

test('a config with nothing but plugins has all defaults', async () => {
  const result = await judge({ plugins: [lvm()] });
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  const { options, plugins } = result.settled;
  assert.is(options.stateDir, '/var/lib/sltv');
  assert.equal(options.listen, [{ unix: '/run/sltv/sltvd.sock', mode: 0o660, role: 'admin' }]);
  assert.is(options.thinInitialSize, 10n * 1024n ** 3n);
  assert.equal(plugins[0]?.options, { vgs: ['vg-sltv'], wipe: 'none' });
});

for (const [config, ...sentences] of [
  [{ plugins: [wrongly({ vgs: ['a', 5] })] }, 'lvm.vgs[1]: expected string, got 5'],
  [{ plugins: [wrongly({ vgs: 'a' })] }, 'lvm.vgs: expected a list, got "a"'],
  [{ plugins: [wrongly({ vgz: ['a'] })] }, 'lvm.vgz: is not an option: did you mean vgs?'],
  [{ plugins: [wrongly({ potato: 1 })] }, 'lvm.potato: is not an option: there is vgs, wipe, policy'],
  [{ plugins: [wrongly({ wipe: 'all' })] }, 'lvm.wipe: expected ("zero" | "none"), got "all"'],
  [
    { plugins: [wrongly({ policy: { percent: 200, stap: 1 } })] },
    'lvm.policy.percent: at most 100',
    'lvm.policy.step: is missing',
    'lvm.policy.stap: is not an option: did you mean step?',
  ],
  [{ plugins: [{ ...lvm(), given: 5 }] }, 'lvm: expected an object, got 5'],
  [{ plugins: [{ ...bare(), given: { a: 1 } }] }, 'bare.a: plugin bare has no options'],
  [{ plugins: [lvm] }, 'plugins[0]: is a function: call it, as in lvm()'],
  [{ plugins: [bare(), 'lvm'] }, "plugins[1]: is not a plugin: expected what a plugin's factory gives, such as lvm()"],
  [
    { plugins: [{ name: 'lvm' }] },
    "plugins[0]: is not a plugin: expected what a plugin's factory gives, such as lvm()",
  ],
  [{}, 'plugins: expected a list of plugins, such as [lvm(), libvirt(), localLock()]'],
  [
    { plugin: [] },
    'plugins: expected a list of plugins, such as [lvm(), libvirt(), localLock()]',
    'plugin: is not an option: did you mean plugins?',
  ],
  [
    { plugins: [], listen: [{ unx: '/x' }] },
    'listen[0].unix: is missing',
    'listen[0].unx: is not an option: did you mean unix?',
  ],
  [{ plugins: [], listen: [] }, 'listen: the daemon needs a socket to answer on'],
  [{ plugins: [], listen: [{ unix: 'x.sock' }] }, 'listen[0].unix: a path that begins with / is expected'],
  [{ plugins: [], thinInitialSize: '10E' }, "thinInitialSize: '10E' is not a size"],
  ...['5 %%', '101%', '-1%', '%', '10 apples', -1, '1.5.2%'].map((reserve) => [
    { plugins: [], reserve },
    `reserve: '${reserve}' is neither a size such as 20G nor a part of the pool such as 5%`,
  ]),
  [
    { plugins: [], cluster: { fence: { command: [] } } },
    "cluster.fence.command: the agent's name is expected, such as ['fence_ipmilan']",
  ],
  ...[0, 0.9, -2, Number.POSITIVE_INFINITY].map((overcommit) => [
    { plugins: [], overcommit },
    'overcommit: expected how many times its size a pool may promise, at least 1',
  ]),
  [{ plugins: [], log: { level: 'loud' } }, 'log.level: expected ("debug" | "info" | "warn" | "error"), got "loud"'],
  [{ plugins: [], nodeId: '-x' }, 'nodeId: expected letters, digits, dots, dashes and underscores, at most 63'],
  [
    { plugins: [needy()] },
    'plugin needy requires locks, which no plugin in the config provides: add localLock() to plugins',
  ],
  [{ plugins: [bare(), bare()] }, 'plugin bare is listed twice: give one of them all the options'],
] as const) {
  test(`told: ${sentences.join('; ')}`, async () => {
    assert.equal(await problems(config), sentences);
  });
}

for (const [word, value] of [
  [0, 0n],
  ['0', 0n],
  ['0%', '0%'],
  [' 12.5 % ', '12.5%'],
  ['100%', '100%'],
  ['20G', 20n * 1024n ** 3n],
  [4096, 4096n],
] as const) {
  test(`a reserve of ${word} is ${value}`, async () => {
    const result = await judge({ plugins: [], reserve: word });
    if ('problems' in result) throw new Error(result.problems.join('\n'));
    assert.is(result.settled.options.reserve, value);
  });
}

test('every problem of core, of all plugins and of the environment is told at once', async () => {
  const config = { stateDir: 5, plugins: [wrongly({ vgs: 1 }), { ...bare(), given: { b: 1 } }, needy()] };
  const found = await problems(config, { env: { SLTV_STATEDIR: '/x' } });
  assert.equal(found, [
    'stateDir: expected string, got 5',
    'lvm.vgs: expected a list, got 1',
    'bare.b: plugin bare has no options',
    'SLTV_STATEDIR: there is no such setting; did you mean SLTV_STATE_DIR?',
    'plugin needy requires locks, which no plugin in the config provides: add localLock() to plugins',
  ]);
});

test('one problem is a sentence, several are counted', () => {
  assert.is(configError(['a: b'], '/etc/c.ts').message, '/etc/c.ts: a: b');
  assert.is(configError(['a: b', 'c: d'], '/etc/c.ts').message, '/etc/c.ts has 2 problems\n  a: b\n  c: d');
});

test('core’s own plugins stand in front, and count among the providers', async () => {
  const seen: unknown[] = [];
  const own: Unsettled['own'] = async ({ thinInitialSize }) => {
    seen.push(thinInitialSize);
    return [locks()];
  };
  const result = await judge({ plugins: [needy()], thinInitialSize: '1G' }, { own });
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  assert.equal(
    result.settled.plugins.map(({ definition }) => definition.name),
    ['local-lock', 'needy'],
  );
  assert.equal(seen, [1024n ** 3n]);
  assert.not.ok(result.settled.settings.some(({ path }) => path.startsWith('local-lock')));
});

test('environment beats file beats default, and each value says where it came from', async () => {
  const config = {
    listen: [{ unix: '/a.sock', group: 'sltv' }, { unix: '/b.sock' }],
    log: { level: 'warn' },
    thinInitialSize: '1G',
    plugins: [lvm({ vgs: ['a', 'b'], wipe: 'zero' })],
  };
  const env = { SLTV_LISTEN_UNIX: '/c.sock', SLTV_LOG_FORMAT: 'text', SLTV_DEFAULT_VG: 'c', SLTV_NODE_ID: 'n7' };
  assert.equal(await settings(config, { env }), {
    'listen[0].unix': ['/c.sock', 'SLTV_LISTEN_UNIX'],
    'listen[0].group': ['sltv', 'file'],
    'listen[0].mode': [0o660, 'default'],
    'listen[0].role': ['admin', 'default'],
    'listen[1].unix': ['/b.sock', 'file'],
    'listen[1].group': [undefined, 'default'],
    'listen[1].mode': [0o660, 'default'],
    'listen[1].role': ['admin', 'default'],
    'limits.messageSize': [1024 ** 2, 'default'],
    'limits.headerSize': [16 * 1024, 'default'],
    'limits.connections': [1024, 'default'],
    'limits.calls': [256, 'default'],
    'limits.callsPerConnection': [100, 'default'],
    'limits.requestTimeout': [30_000, 'default'],
    'limits.unreadTimeout': [30_000, 'default'],
    'limits.idleTimeout': [300_000, 'default'],
    nodeId: ['n7', 'SLTV_NODE_ID'],
    stateDir: ['/var/lib/sltv', 'default'],
    runDir: ['/run/sltv', 'default'],
    defaultPool: [undefined, 'default'],
    thinInitialSize: [1024n ** 3n, 'file'],
    reserve: ['5%', 'default'],
    overcommit: [undefined, 'default'],
    'cluster.fence': [undefined, 'default'],
    'cluster.whenFenced': ['destroy', 'default'],
    'log.level': ['warn', 'file'],
    'log.format': ['text', 'SLTV_LOG_FORMAT'],
    'lvm.vgs[0]': ['c', 'SLTV_DEFAULT_VG'],
    'lvm.wipe': ['zero', 'file'],
    'lvm.policy': [undefined, 'default'],
  });
});

test('what the built-in config says is a default', async () => {
  const found = await settings({ plugins: [lvm({ vgs: ['a'] })] }, { isFile: false });
  assert.equal(found['lvm.vgs[0]'], ['a', 'default']);
});

test('a function is a value', async () => {
  const step = () => 1;
  const found = await settings({ plugins: [lvm({ policy: { percent: 10, step } })] });
  assert.equal(found['lvm.policy.percent'], [10, 'file']);
  assert.type(found['lvm.policy.step']?.[0], 'function');
});

const WITHOUT_CA =
  "is missing, and without the authority of the clients' certificates everybody who reaches the port would be served; if that is meant, say insecure: true";

for (const [env, ...sentences] of [
  [
    { SLTV_LOG_LEVEL: 'loud' },
    'log.level: expected ("debug" | "info" | "warn" | "error"), got "loud" (set by SLTV_LOG_LEVEL)',
  ],
  [{ SLTV_LISTEN_UNIX: 'x' }, 'listen[0].unix: a path that begins with / is expected (set by SLTV_LISTEN_UNIX)'],
  [{ SLTV_WIPE: 'never' }, 'SLTV_WIPE: write zero or none'],
  [
    { SLTV_LISTEN_TCP: '0.0.0.0:1' },
    "SLTV_LISTEN_TCP: TCP comes with TLS: name the daemon's certificate in SLTV_TLS_CERT, its key in SLTV_TLS_KEY and the authority of the clients' certificates in SLTV_TLS_CA, or write a listener with tcp and tls into the config",
  ],
  [
    { SLTV_LISTEN_TCP: '0.0.0.0', SLTV_TLS_CERT: '/c', SLTV_TLS_KEY: '/k', SLTV_TLS_CA: '/a' },
    'listen[1].tcp: expected HOST:PORT, such as 0.0.0.0:8443 or [::]:8443 (set by SLTV_LISTEN_TCP)',
  ],
  [{ SLTV_LISTEN_TCP: '0.0.0.0:1', SLTV_TLS_CERT: '/c', SLTV_TLS_KEY: '/k' }, `listen[1].tls.ca: ${WITHOUT_CA}`],
  [{ SLTV_TLS_CRT: 'x' }, 'SLTV_TLS_CRT: there is no such setting; did you mean SLTV_TLS_CERT?'],
  [
    { SLTV_CLUSTER_ENABLED: 'true' },
    'SLTV_CLUSTER_ENABLED: no plugin in the config makes a cluster; unset it or add one that does',
  ],
  [{ SLTV_LOCK_TTL: '10s' }, 'SLTV_LOCK_TTL: no plugin in the config takes it; add etcdLock() to plugins, or unset it'],
  [{ SLTV_LOGLEVEL: 'info' }, 'SLTV_LOGLEVEL: there is no such setting; did you mean SLTV_LOG_LEVEL?'],
  [{ SLTV_POTATO: '1' }, 'SLTV_POTATO: there is no such setting; unset it'],
] as const) {
  test(`told: ${sentences}`, async () => {
    assert.equal(await problems({ plugins: [lvm()] }, { env }), sentences);
  });
}

test('variables of the client, of tests and of others are nobody’s problem, nor are empty ones', async () => {
  const env = {
    SLTV_ADDR: 'x',
    SLTV_TIMEOUT: '1s',
    SLTV_TLS_CERT: 'x',
    SLTV_CONFIG: 'x',
    SLTV_TEST: '1',
    SLTV_TESTBED_DIR: 'x',
  };
  const more = { SLTV_CLUSTER_ENABLED: 'false', SLTV_LISTEN_TCP: '', SLTV_LOG_LEVEL: '', PATH: 'x', XSLTV_A: '1' };
  assert.equal(await problems({ plugins: [lvm()] }, { env: { ...env, ...more } }), []);
});

test('a later variable is no stranger once a plugin owns it', async () => {
  const cluster = definePlugin({
    name: 'cluster',
    api: 1,
    options: v.strictObject({ on: v.optional(v.boolean()) }),
    env: { SLTV_CLUSTER_ENABLED: (word) => ({ on: word === 'true' }) },
    setup() {},
  });
  const found = await settings({ plugins: [cluster()] }, { env: { SLTV_CLUSTER_ENABLED: 'true' } });
  assert.equal(found['cluster.on'], [true, 'SLTV_CLUSTER_ENABLED']);
});

const FILES = { cert: '/c', key: '/k' };

for (const [title, listener, ...sentences] of [
  ['without files', { tcp: '0.0.0.0:8443' }, 'listen[0].tls: is missing'],
  ['without an authority', { tcp: '0.0.0.0:8443', tls: FILES }, `listen[0].tls.ca: ${WITHOUT_CA}`],
  [
    'with an authority and for everybody',
    { tcp: ':8443', tls: { ...FILES, ca: '/a' }, insecure: true },
    'listen[0].insecure: serves everybody, and tls.ca only those with a certificate: leave out one of the two',
  ],
  [
    'for everybody and by certificate',
    { tcp: ':8443', tls: FILES, insecure: true, roles: [{ subject: 'CN=a', role: 'viewer' }] },
    "listen[0].roles: goes by the clients' certificates, which nobody is asked for without tls.ca",
  ],
  [
    'that would raise a role',
    { tcp: ':8443', tls: { ...FILES, ca: '/a' }, role: 'operator', roles: [{ subject: 'CN=a', role: 'admin' }] },
    "listen[0].roles: has a role above the listener's own, and a certificate can only lower that: raise role, and end roles with { subject: '*', role: … }",
  ],
  [
    'with words that are no subject',
    { tcp: ':8443', tls: { ...FILES, ca: '/a' }, roles: [{ subject: 'monitor', role: 'viewer' }] },
    "listen[0].roles[0].subject: expected a subject such as 'CN=monitor' or 'OU=storage, O=Example Ltd', or '*' for every certificate",
  ],
  [
    'with a misspelt option',
    { tcp: ':8443', tls: { ...FILES, ca: '/a' }, rols: [] },
    'listen[0].rols: is not an option: did you mean role?',
  ],
  [
    'with a port that is none',
    { tcp: ':98443', tls: { ...FILES, ca: '/a' } },
    'listen[0].tcp: expected HOST:PORT, such as 0.0.0.0:8443 or [::]:8443',
  ],
  [
    'that is a socket, too',
    { tcp: ':8443', unix: '/run/s', tls: { ...FILES, ca: '/a' } },
    'listen[0].unix: is not an option: there is tcp, tls, insecure, role, roles',
  ],
  [
    'that is a socket with an option of TCP',
    { unix: '/run/s', tls: FILES },
    'listen[0].tls: is not an option: there is unix, group, mode, role',
  ],
  ['of neither kind', {}, 'listen[0].unix: is missing'],
] as const) {
  test(`a listener ${title}: ${sentences}`, async () => {
    assert.equal(await problems({ listen: [listener], plugins: [lvm()] }), sentences);
  });
}

test('who shows a certificate may do everything, and who shows none only look, unless the listener says otherwise', async () => {
  const listen = [
    { tcp: ':1', tls: { ...FILES, ca: '/a' } },
    { tcp: ':2', tls: FILES, insecure: true },
    { tcp: ':3', tls: FILES, insecure: true, role: 'operator' },
  ];
  const found = await settings({ listen, plugins: [lvm()] });
  assert.equal(
    [0, 1, 2].map((index) => found[`listen[${index}].role`]),
    [
      ['admin', 'default'],
      ['viewer', 'default'],
      ['operator', 'file'],
    ],
  );
  assert.equal(found['listen[0].tls.ca'], ['/a', 'file']);
  assert.not('listen[0].unix' in found);
});

test('SLTV_LISTEN_TCP adds a listener beside the others, or moves the one that is there', async () => {
  const env = { SLTV_LISTEN_TCP: '0.0.0.0:8443', SLTV_TLS_CERT: '/c', SLTV_TLS_KEY: '/k', SLTV_TLS_CA: '/a' };
  const added = await settings({ plugins: [lvm()] }, { env });
  assert.equal(added['listen[0].unix'], ['/run/sltv/sltvd.sock', 'default']);
  assert.equal(added['listen[1].tcp'], ['0.0.0.0:8443', 'SLTV_LISTEN_TCP']);
  const listen = [{ tcp: ':1', tls: { cert: '/x', key: '/y', ca: '/z' }, role: 'operator' }, { unix: '/run/s' }];
  const moved = await settings(
    { listen, plugins: [lvm()] },
    { env: { SLTV_LISTEN_TCP: ':2', SLTV_LISTEN_UNIX: '/run/t' } },
  );
  assert.equal(moved['listen[0].tcp'], [':2', 'SLTV_LISTEN_TCP']);
  assert.equal(moved['listen[0].tls.cert'], ['/x', 'file']);
  assert.equal(moved['listen[0].role'], ['operator', 'file']);
  assert.equal(moved['listen[1].unix'], ['/run/t', 'SLTV_LISTEN_UNIX']);
});

test('limits have units: sizes are sizes, and times milliseconds', async () => {
  const found = await settings({ limits: { messageSize: '2M' }, plugins: [lvm()] });
  assert.equal(found['limits.messageSize'], [2 * 1024 ** 2, 'file']);
  assert.equal(found['limits.idleTimeout'], [300_000, 'default']);
  assert.equal(
    await problems({ limits: { calls: 0, headerSize: 1, idleTimeout: 1e12, connection: 1 }, plugins: [lvm()] }),
    [
      'limits.headerSize: at least 1024 bytes',
      'limits.calls: at least 1',
      'limits.idleTimeout: at most three weeks',
      'limits.connection: is not an option: did you mean connections?',
    ],
  );
});

test.run();
