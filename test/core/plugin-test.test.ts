import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asSltvError, SltvError } from '../../core/errors.ts';
import { createLog } from '../../core/log.ts';
import { type CaseResult, testPlugin } from '../../core/plugin-test.ts';
import { defaultConfig, modules } from '../../plugins/builtin.ts';
import { trustedFolder } from './kernel/kit.ts';

const builtins = { version: '1.2.3', modules, defaultConfig, own: async () => [] };
const log = createLog({ level: 'error', format: 'text', write: () => {} });

/** Tests the plugin that this code exports. */
async function run(text: string, more: { patience?: number; signal?: AbortSignal } = {}): Promise<CaseResult[]> {
  await using folder = await trustedFolder();
  const file = join(folder.path, 'plugin.mjs');
  writeFileSync(file, text);
  const { patience, signal = new AbortController().signal } = more;
  return await Array.fromAsync(testPlugin({ file, patience, builtins, log, signal }));
}

async function failure(work: Promise<unknown>): Promise<SltvError> {
  const error = await work.then(
    (value) => assert.unreachable(`it gave ${JSON.stringify(value)}`),
    (thrown: unknown) => asSltvError(thrown),
  );
  assert.instance(error, SltvError);
  return error as SltvError;
}

/** A plugin that hands on local locks, spoiled by `setup` or by what `spoil` says of them. */
const locks = ({ setup = '', spoil = '' } = {}) => `
  import { definePlugin, Locks, v } from 'sltv';
  import { createQueue } from 'sltv';
  const mine = definePlugin({
    name: 'mine', api: 1, options: v.strictObject({ domain: v.string() }), provides: { locks: Locks },
    async setup({ options, signal }) {
      ${setup}
      const queues = new Map();
      let token = 0n;
      const locks = {
        domain: options.domain,
        acquire(name, caller) {
          if (!queues.has(name)) queues.set(name, createQueue());
          const given = Promise.withResolvers();
          queues.get(name).run({ signal: caller }, () => {
            const over = Promise.withResolvers();
            given.resolve({ token: ++token, lost: signal, remaining: () => 1, prove: async () => {}, handover: undefined, leave() {}, [Symbol.asyncDispose]: async () => over.resolve() });
            return over.promise;
          }).catch(given.reject);
          return given.promise;
        },
        ${spoil}
      };
      return { provides: { locks } };
    },
  });
  export default mine;
  export const conformance = {
    locks: { make: async ({ boot }) => ({ locks: (await boot([mine({ domain: 'mine/1' })])).get(Locks) }) },
  };`;

test('a plugin that keeps its promises passes every case, and leaves nothing behind', async () => {
  await using folder = await trustedFolder();
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder.path;
  const results = await run(locks());
  assert.equal(readdirSync(folder.path), []);
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
  assert.ok(results.length > 10, 'the suite was run');
  assert.is(results[0]?.case, 'mine locks: it comes up, and stops');
  assert.equal(
    results.filter(({ result }) => result !== 'ok'),
    [],
  );
});

test('a promise that is broken is found, and the others are still tested', async () => {
  const results = await run(locks({ spoil: "domain: 'no domain'," }));
  const failed = results.filter(({ result }) => result === 'failed');
  assert.equal(
    failed.map((each) => each.case),
    ['mine locks: the domain is a kind and an id'],
  );
  assert.match(failed[0]?.why ?? '', 'no domain');
  assert.ok(results.length > 10);
});

test('a provider that does not come up is asked nothing else', async () => {
  const results = await run(locks({ setup: "throw new Error('no disk');" }));
  assert.is(results[0]?.result, 'failed');
  assert.is(results[0]?.why, 'plugin mine could not start: no disk');
  assert.equal(new Set(results.slice(1).map(({ result }) => result)), new Set(['not run']));
});

test('what a plugin tells of itself is held to its suite, too', async () => {
  const text = (name: string) => `
    import { definePlugin, MetricSources } from 'sltv';
    const metric = { name: '${name}', help: 'how many moons', type: 'gauge', samples: [{ value: 1 }] };
    const moon = definePlugin({ name: 'moon', api: 1, provides: { source: MetricSources },
      setup: () => ({ provides: { source: { name: 'moon', collect: async () => [metric] } } }) });
    export default moon;
    export const conformance = { metrics: { make: async ({ boot }) => ({ source: (await boot([moon()])).get(MetricSources) }) } };`;
  const good = await run(text('sltv_moons'));
  assert.ok(good.length > 4);
  assert.ok(good.every(({ result }) => result === 'ok'));
  const bad = await run(text('Moons'));
  const failed = bad.filter(({ result }) => result === 'failed').map((each) => each.case);
  assert.equal(failed, ['moon metrics: every metric keeps the rules of names, units, labels and values']);
});

test('options that the plugin does not take are named', async () => {
  const [first] = await run(locks().replace("domain: 'mine/1'", "domian: 'mine/1'"));
  assert.is(first?.result, 'failed');
  assert.match(first?.why ?? '', 'mine.domian: is not an option: did you mean domain?');
});

test('a provider that hangs is given up in time', async () => {
  const results = await run(locks({ setup: 'await new Promise(() => {});' }), { patience: 50 });
  assert.is(results[0]?.why, 'it did not end within 50 ms');
});

test('a failure that nobody catches belongs to the case that it came with', async () => {
  const results = await run(locks({ setup: "void Promise.reject(new Error('dropped'));" }));
  assert.is(results[0]?.why, 'it left a failure that nobody catches: dropped');
  const timer = await run(locks({ setup: "setImmediate(() => { throw new Error('late'); });" }));
  assert.is(timer[0]?.why, 'it left a failure that nobody catches: late');
});

test('whoever is interrupted waits for no case', async () => {
  const controller = new AbortController();
  const running = run(locks({ setup: 'await new Promise(() => {});' }), { signal: controller.signal });
  setImmediate(() => controller.abort());
  assert.is((await failure(running)).kind, 'cancelled');
});

const plugin = (provides: string, more = '') =>
  `import { definePlugin, Locks, Storage, Disks } from 'sltv';
  export default definePlugin({ name: 'mine', api: 1, provides: { ${provides} }, setup: () => ({}) }); ${more}`;

for (const [title, text, said, hint] of [
  ['has no default export', 'export const a = 1;', 'it has no default export', 'export default definePlugin'],
  ['exports no plugin', 'export default 5;', 'its default export is not a plugin', 'export default definePlugin'],
  [
    'exports a function of another kind',
    'export default () => 5;',
    'its default export is not a plugin',
    'definePlugin',
  ],
  [
    'exports a function that throws',
    'export default () => { throw new Error("no"); };',
    "is no plugin's factory: no",
    'definePlugin',
  ],
  ['is a config', 'export default { plugins: [] };', 'it is a config', "the plugin's own file"],
  [
    'provides nothing testable',
    plugin('disks: Disks'),
    'plugin mine provides nothing that has a suite',
    'storage, locks, hypervisor, cluster, metrics',
  ],
  [
    'says nothing of how it is tested',
    plugin('locks: Locks'),
    'it exports no conformance',
    'export const conformance: Conformance = { locks: { make',
  ],
  [
    'leaves one of its capabilities out',
    plugin('locks: Locks, s: Storage', 'export const conformance = { locks: { make() {} } };'),
    'provides storage, and conformance does not say how to make it',
    'storage: { make',
  ],
  [
    'says how to test what it does not provide',
    plugin('locks: Locks', 'export const conformance = { locks: { make() {} }, lokcs: {} };'),
    "conformance has 'lokcs', which plugin mine does not provide",
    '',
  ],
  [
    'was made for another contract',
    plugin('locks: Locks').replace('api: 1', 'api: 2'),
    'was made for version 2 of the plugin contract',
    '',
  ],
  ['imports what is not there', `import './gone.mjs';`, "imports './gone.mjs', which is not there", 'correct the path'],
] as const) {
  test(`a file that ${title} is told so`, async () => {
    const error = await failure(run(text));
    assert.is(error.code, 'core/config');
    assert.ok(error.message.includes('plugin.mjs'), error.message);
    assert.ok(error.message.includes(said), error.message);
    assert.ok((error.hint ?? '').includes(hint), error.hint);
  });
}

test('a file that is not there is told so', async () => {
  const options = { file: '/nowhere/plugin.ts', patience: undefined, builtins, log };
  const error = await failure(Array.fromAsync(testPlugin({ ...options, signal: new AbortController().signal })));
  assert.is(error.code, 'core/config-missing');
  assert.not.ok(existsSync('/nowhere'));
});

test.run();
