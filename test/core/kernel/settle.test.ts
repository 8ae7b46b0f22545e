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
  assert.is(options.listen[0]?.unix, '/run/sltv/sltvd.sock');
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

for (const [env, ...sentences] of [
  [
    { SLTV_LOG_LEVEL: 'loud' },
    'log.level: expected ("debug" | "info" | "warn" | "error"), got "loud" (set by SLTV_LOG_LEVEL)',
  ],
  [{ SLTV_LISTEN_UNIX: 'x' }, 'listen[0].unix: a path that begins with / is expected (set by SLTV_LISTEN_UNIX)'],
  [{ SLTV_WIPE: 'never' }, 'SLTV_WIPE: write zero or none'],
  [
    { SLTV_LISTEN_TCP: '0.0.0.0:1' },
    'SLTV_LISTEN_TCP: the daemon answers on Unix sockets only, because TCP would need TLS; unset it and reach the socket through ssh',
  ],
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

test.run();
