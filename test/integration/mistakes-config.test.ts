// Every kind of mistake in a config, through `sltv config check` and through the daemon that is to run it.
import { chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { IMPORTS, type, within } from '../fixtures/executable.ts';
import { judge, type Mistake } from '../fixtures/mistake.ts';

/** What both ways of reading a config say of it, and that neither leaves anything behind. */
async function refused(
  path: string,
  folder: string,
  mistake: Omit<Mistake, 'typed'>,
  env: Readonly<Record<string, string>> = {},
) {
  const before = readdirSync(folder, { recursive: true }).sort();
  const judged = ['config check', 'daemon'].map(async (verb) => {
    const typed = `sltv ${verb} --config ${path}`;
    judge({ typed, ...mistake }, await type(typed, { SLTV_STATE_DIR: join(folder, 'state'), ...env }));
  });
  await Promise.all(judged);
  assert.equal(readdirSync(folder, { recursive: true }).sort(), before, 'nothing was made');
}

const HERE = /put it right, then: sltv config check --config \/\S+c\.ts$/;

/** The text of a config, or what follows the imports where it begins with `{`; what is said; what the hint has. */
const TEXTS: readonly (readonly [title: string, text: string, says: string | RegExp, hint?: string | RegExp])[] = [
  // What no config is.
  ['an empty file', '', 'c.ts: it has no default export', 'export default defineConfig('],
  ['a number', 'export default 5', 'its default export is a number, not a config', 'export default defineConfig('],
  ['a function', 'export default async () => ({})', 'its default export is a function', 'export default defineConfig('],
  ['no plugins', '{}', 'plugins: expected a list of plugins, such as [lvm(), libvirt(), localLock()]'],
  ['CommonJS', 'module.exports = {}', 'c.ts:1: module is not defined', 'a config is an ES module'],
  [
    'a forgotten import',
    'export default { plugins: [lvm()] }',
    'c.ts:1: lvm is not defined',
    "import lvm from 'sltv/lvm'",
  ],
  [
    'braces around a default export',
    "import { lvm } from 'sltv/lvm'; export default { plugins: [lvm()] }",
    "'sltv/lvm' does not provide an export named 'lvm'",
    "import lvm from 'sltv/lvm'",
  ],
  [
    'a misspelt name',
    "import { defineConfg } from 'sltv'; export default {}",
    "does not provide an export named 'defineConfg'",
    "import { defineConfig } from 'sltv'",
  ],
  [
    'a misspelt plugin',
    "import lvm from 'sltv/lmv'; export default {}",
    "imports 'sltv/lmv'",
    "did you mean 'sltv/lvm'?",
  ],
  ['a package that is not there', "import x from 'nope'; export default x", "imports 'nope'", 'npm install nope'],
  ['a file that is not there', "import x from './nope'; export default x", "imports './nope'", 'correct the path'],
  [
    'an await without end',
    'await new Promise(() => {}); export default {}',
    'waits for something that never comes',
    'await',
  ],
  ['an enum', 'enum A { B }; export default {}', 'c.ts:1: TypeScript enum is not supported', 'a union of strings'],
  // Options.
  [
    'misspelt options, each of them',
    "{ lisen: [], logLevel: 'debug', plugins: [lvm({ vg: ['a'], wipee: 1 }), localLock()] }",
    /lisen: is not an option: did you mean listen\?\n {2}logLevel: is not an option: there is [\s\S]*lvm\.vg: is not an option: did you mean vgs\?\n {2}lvm\.wipee: is not an option: there is vgs$/,
  ],
  [
    'values of the wrong type, each of them',
    "{ runDir: 5, log: { level: 'loud' }, plugins: [lvm({ vgs: 'vg0' }), localLock(), libvirt({ deadlines: { read: '1s' } })] }",
    /has 4 problems\n {2}runDir: expected string, got 5\n {2}log\.level: expected \("debug" \| .*\), got "loud"\n {2}lvm\.vgs: expected a list, got "vg0"\n {2}libvirt\.deadlines\.read: expected number, got "1s"/,
  ],
  [
    'values that can not be',
    "{ nodeId: 'a b', thinInitialSize: '10 apples', runDir: 'run', listen: [], plugins: [lvm({ vgs: ['-x'] }), localLock(), dir({ pools: { p: 'srv' } }), libvirt({ uri: 'here' })] }",
    /nodeId: expected letters[\s\S]*runDir: a path that begins with \/[\s\S]*thinInitialSize: '10 apples' is not a size[\s\S]*lvm\.vgs\[0\]: not a name that a volume group can have[\s\S]*dir\.pools\.p: expected a directory by its absolute path[\s\S]*libvirt\.uri: expected a libvirt address such as qemu:\/\/\/system/,
  ],
  ['a size of 0', '{ thinInitialSize: 0, plugins: [dir()] }', 'thinInitialSize: expected a size above 0, got 0'],
  ['a size below 0', '{ thinInitialSize: -5, plugins: [dir()] }', 'thinInitialSize: expected a size above 0, got -5'],
  [
    'a listener with all that can be wrong',
    "{ listen: [{ unix: 'x', mode: '660', role: 'root', grp: 'x' }], plugins: [dir()] }",
    /listen\[0\]\.unix: a path that begins with \/[\s\S]*mode: expected number, got "660"[\s\S]*role: expected \("viewer" \| "operator" \| "admin"\), got "root"[\s\S]*grp: is not an option: there is unix, group, mode, role/,
  ],
  [
    'two pools in one directory',
    "{ plugins: [dir({ pools: { a: '/srv', b: '/srv/' } })] }",
    'dir.pools: two pools share a directory',
  ],
  // Plugins.
  ['a plugin that is not called', '{ plugins: [lvm, localLock()] }', 'plugins[0]: is a function: call it, as in lvm()'],
  [
    'the name of a plugin',
    "{ plugins: ['lvm', dir()] }",
    "plugins[0]: is not a plugin: expected what a plugin's factory gives",
  ],
  ['a comma too many', '{ plugins: [dir(), , localLock()] }', 'plugins[1]: is not a plugin'],
  ['a plugin twice', '{ plugins: [dir(), dir()] }', 'plugin dir is listed twice: give one of them all the options'],
  [
    'no locks',
    '{ plugins: [lvm()] }',
    'plugin lvm requires locks, which no plugin in the config provides: add etcdLock() or localLock()',
  ],
  ['no storage', '{ plugins: [libvirt()] }', 'which no plugin in the config provides: add dir() or lvm() to plugins'],
  [
    'two plugins that provide the same',
    "{ plugins: [dir(), localLock(), definePlugin({ name: 'mine', api: 1, provides: { locks: Locks }, setup: () => { throw 1 } })()] }",
    'plugins local-lock and mine both provide locks: keep one of them',
  ],
  [
    'a plugin of another contract',
    "{ plugins: [dir(), definePlugin({ name: 'mine', api: 2, setup() {} })()] }",
    'plugin mine was made for version 2 of the plugin contract, this sltv keeps version 1',
  ],
  [
    'options for a plugin that has none',
    "{ plugins: [dir(), definePlugin({ name: 'mine', api: 1, setup() {} })({ a: 1 })] }",
    'mine.a: plugin mine has no options',
  ],
];

for (const [title, text, says, hint = HERE] of TEXTS) {
  test(`a config with ${title} is refused`, async () => {
    await using folder = await trustedFolder();
    const path = join(folder.path, 'c.ts');
    writeFileSync(path, text.startsWith('{') ? `${IMPORTS}export default ${text};` : text);
    await refused(path, folder.path, { kind: 'invalid', code: 'core/config', says, hint });
  });
}

for (const [variable, value, says] of [
  ['SLTV_NODEID', 'x', 'SLTV_NODEID: there is no such setting; did you mean SLTV_NODE_ID?'],
  ['SLTV_LOG_LEVEL', 'loud', 'got "loud" (set by SLTV_LOG_LEVEL)'],
  ['SLTV_LISTEN_UNIX', 'sltv.sock', 'listen[0].unix: a path that begins with / is expected (set by SLTV_LISTEN_UNIX)'],
  ['SLTV_LISTEN_TCP', ':7443', 'SLTV_LISTEN_TCP: TCP comes with TLS'],
  ['SLTV_DEFAULT_VG', 'vg0', 'SLTV_DEFAULT_VG: no plugin in the config takes it; add lvm() to plugins, or unset it'],
  ['SLTV_CLUSTER_ENABLED', 'true', 'SLTV_CLUSTER_ENABLED: no plugin in the config makes a cluster'],
  [
    'SLTV_ETCD_ENDPOINTS',
    'http://e',
    'SLTV_ETCD_ENDPOINTS: no plugin in the config takes it; add etcdLock() to plugins, or unset it',
  ],
] as const) {
  test(`${variable}=${value} is refused by name`, async () => {
    await using folder = await trustedFolder();
    const path = join(folder.path, 'c.ts');
    writeFileSync(path, `${IMPORTS}export default { ${within(folder.path)}, plugins: [dir()] };`);
    await refused(path, folder.path, { kind: 'invalid', code: 'core/config', says, hint: HERE }, { [variable]: value });
  });
}

const GOOD = `${IMPORTS}export default { plugins: [dir()] };`;

for (const [title, spoil, says, hint] of [
  [
    'that others can write',
    (path: string) => chmodSync(path, 0o666),
    'c.ts can be written by others',
    /^chmod go-w \S+c\.ts$/,
  ],
  [
    'of another user',
    (path: string) => chownSync(path, 65534, 0),
    'c.ts belongs to user 65534',
    /^chown root \S+c\.ts$/,
  ],
  [
    'in a folder that others can write',
    (_: string, folder: string) => chmodSync(folder, 0o777),
    'can be written by others, and a config is code that the daemon runs',
    /^chmod go-w \S+$/,
  ],
] as const) {
  test(`a config ${title} is not run, and the hint says what to type`, async () => {
    await using folder = await trustedFolder();
    const path = join(folder.path, 'c.ts');
    writeFileSync(path, GOOD);
    spoil(path, folder.path);
    await refused(path, folder.path, { kind: 'denied', code: 'core/config-untrusted', says, hint });
  });
}

test('a config below /tmp is not run: anybody may put a file there first', async () => {
  writeFileSync('/tmp/sltv-mistakes.ts', GOOD);
  await using folder = await trustedFolder();
  const link = join(folder.path, 'c.ts');
  symlinkSync('/tmp/sltv-mistakes.ts', link);
  for (const path of ['/tmp/sltv-mistakes.ts', link]) {
    const says = '/tmp can be written by others';
    await refused(path, folder.path, {
      kind: 'denied',
      code: 'core/config-untrusted',
      says,
      hint: 'such as in /etc/sltv',
    });
  }
});

test('a config that is not there, or is a folder, is named', async () => {
  await using folder = await trustedFolder();
  const path = join(folder.path, 'c.ts');
  const missing = {
    kind: 'not-found',
    code: 'core/config-missing',
    says: `there is no file ${path}`,
    hint: 'correct the path',
  } as const;
  await refused(path, folder.path, missing);
  mkdirSync(path);
  await refused(path, folder.path, {
    kind: 'invalid',
    code: 'core/config',
    says: `${path} is not a file`,
    hint: 'sltv.config.ts',
  });
});

test.run();
