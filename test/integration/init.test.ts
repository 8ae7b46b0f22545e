// `sltv init` in every runtime, and what a compiler makes of a folder that has nothing but what it wrote.
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { COMPILERS, complaints } from '../fixtures/compilers.ts';
import { completions } from '../fixtures/editor.ts';
import { EXECUTABLE, type } from '../fixtures/executable.ts';
import { run, WAYS } from '../fixtures/ways.ts';

for (const [title, way] of Object.entries(WAYS)) {
  test(`${title} writes a config that it finds in order, and keeps it the next time`, async () => {
    await using folder = await trustedFolder();
    const path = join(folder.path, 'conf');
    const again = () => run(way, ['init', path, '--json']);
    const { code, stdout, stderr } = await again();
    assert.is(code, 0, stderr);
    const config = join(path, 'sltv.config.ts');
    assert.equal(JSON.parse(stdout).files, [
      { path: config, now: 'written' },
      { path: join(path, 'tsconfig.json'), now: 'written' },
      { path: join(path, '.types'), now: 'written' },
    ]);
    assert.is(stderr, `sltv: make it yours, then: sltv config check --config ${config}\n`);
    const checked = await run(way, ['config', 'check', '--config', config]);
    assert.equal([checked.stdout, checked.stderr, checked.code], [`${config} is in order\n`, '', 0]);

    writeFileSync(config, 'export default { plugins: [] };');
    assert.equal(
      JSON.parse((await again()).stdout).files.map(({ now }: { now: string }) => now),
      ['kept', 'kept', 'renewed'],
    );
    assert.is(readFileSync(config, 'utf8'), 'export default { plugins: [] };');
  });
}

test('sltv init . prepares the folder that one is in', async () => {
  await using folder = await trustedFolder();
  const { code, stdout, stderr } = await type(`cd ${folder.path} && sltv init .`);
  assert.is(code, 0, stderr);
  assert.match(stdout, new RegExp(`^${folder.path}/sltv\\.config\\.ts +written$`, 'm'));
});

test('a folder that one may not write is said so', async () => {
  await using folder = await trustedFolder();
  chmodSync(folder.path, 0o755);
  const as = 'setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all';
  const { code, stderr } = await type(`cd / && ${as} ${EXECUTABLE} init /etc/sltv-not-there`);
  assert.is(code, 8, stderr);
  assert.match(stderr, 'sltv may not mkdir /etc/sltv-not-there');
  assert.not.ok(existsSync('/etc/sltv-not-there'));
});

async function init(folder: string): Promise<void> {
  const { code, stderr } = await run(WAYS['the executable'], ['init', folder]);
  assert.is(code, 0, stderr);
}

/** A plugin and a client with much of what there is; each line of BAD is wrong in one way. */
const GOOD = `import { readFileSync } from 'node:fs';
import { Buffer } from 'node:buffer';
import { type Call, defineConfig, definePlugin, Disks, errors, Locks, many, parseSize, v, verb } from 'sltv';
import autoextend, { keepFree, type Policy } from 'sltv/autoextend';
import dir from 'sltv/dir';
import etcdLock from 'sltv/etcd-lock';
import { connect, type Disk, type JsonObject } from 'sltv/client';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';
import { locksConformance, storageConformance } from 'sltv/testing';

const Options = v.strictObject({ file: v.string(), size: v.optional(v.pipe(v.string(), v.transform(parseSize)), '1G') });
const Greeters = many<{ greet(name: string): string }>('greeters');

export const mine = definePlugin({
  name: 'mine',
  api: 1,
  options: Options,
  requires: { disks: Disks },
  accepts: { locks: Locks, greeters: Greeters },
  provides: { greeters: Greeters },
  errors: errors('mine', { shy: 'refused' }),
  verbs: {
    'mine greet': verb({
      about: 'greet',
      example: 'mine greet bob',
      role: 'viewer',
      args: { name: { type: 'text', about: 'whom' } },
      options: { size: { type: 'size', about: 'how much', optional: true } },
      gives: 'stream',
      result: { said: { type: 'text', about: 'what' }, bytes: { type: 'size', about: 'how much' } },
    }),
  },
  setup({ options, use, log, run, signal }) {
    const size: bigint = options.size;
    log.info('up', { text: readFileSync(options.file, 'utf8'), more: Buffer.from('x').length, size });
    const words: Promise<string> = run.read('ls', [], { signal, timeout: 1000 }).then(({ stdout }) => stdout);
    void words;
    return {
      provides: { greeters: { greet: (name) => name } },
      verbs: {
        async *'mine greet'({ name, size }, call: Call) {
          const disks = await use.disks.list({}, call);
          yield { said: name + disks.length, bytes: size ?? 0n };
        },
      },
    };
  },
});

const policy: Policy = ({ physical, fill }) =>
  fill < physical / 2n ? { armAt: physical / 2n } : { extendTo: 2n * physical, armAt: physical };

export default defineConfig({
  nodeId: process.env.HOSTNAME ?? 'n1',
  reserve: '5%',
  plugins: [
    lvm({ vgs: ['vg'] }),
    dir({ pools: { a: '/srv/a' } }),
    libvirt(),
    localLock(),
    etcdLock({ endpoints: ['https://a:2379'] }),
    autoextend({ policy }),
    autoextend({ policy: keepFree({ percent: 10, step: '10%' }) }),
    mine({ file: '/etc/motd' }),
  ],
});

export async function names(): Promise<readonly string[]> {
  const { disks } = await connect({ addr: 'unix:///run/x' }).sltv.listDisks({});
  const first: Disk | undefined = disks[0];
  const json: JsonObject = { name: first?.name ?? '' };
  return [...disks.map(({ name }) => name), String(json.name)];
}

void storageConformance;
void locksConformance;
`;

const BAD: Readonly<Record<string, readonly [text: string, message: string]>> = {
  'misspelt-option': [`export default defineConfig({ statedir: '/x', plugins: [] });`, "'statedir' does not exist"],
  'wrong-type': [`export default defineConfig({ overcommit: '3', plugins: [] });`, "'string' is not assignable"],
  'wrong-role': [
    `export default defineConfig({ listen: [{ unix: '/x', role: 'boss' }], plugins: [] });`,
    `'"boss"' is not`,
  ],
  'not-called': ['export default defineConfig({ plugins: [lvm] });', 'is not assignable to type'],
  'misspelt-plugin-option': [`lvm({ vgz: ['a'] });`, "'vgz' does not exist"],
  'wrong-plugin-option': [`lvm({ vgs: 'a' });`, "'string' is not assignable to type 'string[]'"],
  'missing-plugin-option': ['mine();', 'Expected 1 arguments'],
  'unknown-own-option': [`mine({ file: '/x', fiel: '/y' });`, "'fiel' does not exist"],
  'wrong-policy': ['autoextend({ policy: () => ({ extendTo: 5 }) });', "is not assignable to type 'Policy'"],
  'no-such-module': [`import nothing from 'sltv/lvn';\nvoid nothing;`, "Cannot find module 'sltv/lvn'"],
  'no-such-name': [`import { defineConfg } from 'sltv';\nvoid defineConfg;`, "no exported member named 'defineConfg'"],
  'no-such-schema': ['v.strng();', "'strng' does not exist"],
  'wrong-verb-result': [
    `export default definePlugin({ name: 'p', api: 1, verbs: { 'p do': done }, setup: () => ({ verbs: { 'p do': async () => ({ took: 'long' }) } }) });`,
    "not assignable to type 'Promise<{ readonly took: number; }>'",
  ],
  'wrong-verb-name': [
    `export default definePlugin({ name: 'q', api: 1, verbs: { 'p do': done }, setup: () => ({ verbs: { 'p do': async () => ({ took: 1 }) } }) });`,
    "is not assignable to type 'never'",
  ],
  'wrong-verb-input': [
    `export default definePlugin({ name: 'p', api: 1, verbs: { 'p do': done }, setup: () => ({ verbs: { 'p do': async ({ nmae }) => ({ took: 1 }) } }) });`,
    "'nmae' does not exist",
  ],
  'wrong-provider': [
    `export default definePlugin({ name: 'p', api: 1, provides: { locks: Locks }, setup: () => ({ provides: { locks: { domain: 1 } } }) });`,
    'is not assignable',
  ],
  'wrong-request': [`void connect().sltv.createDisk({ nmae: 'x' });`, "'nmae' does not exist"],
  'wrong-answer': ['void connect().sltv.listDisks({}).then(({ disk }) => disk);', "'disk' does not exist"],
  'wrong-json': [`export const json: JsonObject = 'x';`, "'string' is not assignable to type 'JsonObject'"],
  'wrong-subject': [`storageConformance({ name: 'x' });`, 'StorageSubject<StorageUnderTest>'],
  enum: ['export enum A { B }', 'erasableSyntaxOnly'],
};

const IMPORTS = `import { defineConfig, definePlugin, Locks, v, verb } from 'sltv';
import autoextend from 'sltv/autoextend';
import { connect, type JsonObject } from 'sltv/client';
import lvm from 'sltv/lvm';
import { storageConformance } from 'sltv/testing';
import { mine } from './good.ts';
export const done = verb({
  about: 'do', example: 'p do x', role: 'viewer', args: { name: { type: 'text', about: 'it' } }, options: {},
  gives: 'item', result: { took: { type: 'duration', about: 'how long' } },
});
void [defineConfig, definePlugin, Locks, v, autoextend, connect, lvm, storageConformance, mine];
export type { JsonObject };
`;

for (const [title, compiler] of Object.entries(COMPILERS)) {
  test(`${title} has nothing to say about the starter config`, async () => {
    await using folder = await trustedFolder();
    await init(folder.path);
    assert.equal(complaints(compiler, folder.path), []);
  });

  test(`${title} checks plugins and clients by what init wrote alone: what is right passes, what is wrong does not`, async () => {
    await using folder = await trustedFolder();
    await init(folder.path);
    assert.equal(readdirSync(folder.path).sort(), ['.types', 'sltv.config.ts', 'tsconfig.json']);
    writeFileSync(join(folder.path, 'good.ts'), GOOD);
    for (const [name, [text]] of Object.entries(BAD)) {
      writeFileSync(join(folder.path, `${name}.ts`), `${IMPORTS}${text}\n`);
    }
    const found = complaints(compiler, folder.path);
    const about = (file: string) => found.filter((complaint) => complaint.file === file).map(({ message }) => message);
    assert.equal(about('good.ts'), []);
    const unlike = Object.entries(BAD)
      .map(([name, [, message]]) => ({ name, message, said: about(`${name}.ts`) }))
      .filter(({ message, said }) => said.length !== 1 || !said[0]?.includes(message));
    assert.equal(unlike, []);
    assert.is(found.length, Object.keys(BAD).length);
  });
}

test('an editor completes options, of core and of a plugin, with what they mean', async () => {
  await using folder = await trustedFolder();
  await init(folder.path);
  const core = completions(folder.path, `import { defineConfig } from 'sltv';\ndefineConfig({ |, plugins: [] });`);
  assert.equal(
    core.find(({ name }) => name === 'thinInitialSize'),
    { name: 'thinInitialSize', about: 'first physical size of a thin disk' },
  );
  const lvm = completions(folder.path, `import lvm from 'sltv/lvm';\nlvm({ | });`);
  assert.equal(
    lvm.map(({ name }) => name),
    ['vgs'],
  );
  assert.match(lvm[0]?.about ?? '', 'Volume Groups that are pools');
  // Of these only the parts have something to say.
  const mute = core.filter(({ about }) => about === '').map(({ name }) => name);
  assert.equal(mute.toSorted(), ['cluster', 'limits', 'log']);
});

test('what the starter config suggests in comments holds, too', async () => {
  await using folder = await trustedFolder();
  await init(folder.path);
  const config = join(folder.path, 'sltv.config.ts');
  const text = readFileSync(config, 'utf8');
  // Comments that are code end as a line of code does; the plugin at the end is nobody's yet.
  const whole = text
    .replace(/^( *)\/\/ ((?:(?!mine)\w+: | {2}|\]).*[,[])$/gm, '$1$2')
    .replace(/\/\* (.*?) \*\//g, '$1');
  assert.is.not(whole, text);
  writeFileSync(config, whole);
  assert.equal(complaints(COMPILERS['TypeScript 7'], folder.path), []);
  const { stdout, stderr } = await run(WAYS['the executable'], ['config', 'show', '--config', config, '--json']);
  const { settings } = JSON.parse(stdout || '{"settings":[]}') as { settings: { path: string; value: unknown }[] };
  const value = (path: string) => settings.find((setting) => setting.path === path)?.value;
  assert.equal(
    [value('listen[1].role'), value('overcommit'), value('dir.pools.images')],
    ['operator', 3, '/srv/images'],
    stderr,
  );
});

test.run();
