import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Local } from '../../../core/cli/index.ts';
import { coreErrors } from '../../../core/errors.ts';
import { local, type Session, session } from './session.ts';

let shell: Session;
test.before(async () => {
  shell = await session();
});
test.after(async () => {
  await shell[Symbol.asyncDispose]();
});

const type = (typed: string, part: Partial<Local>) => shell.type(typed, { local: async () => ({ ...local, ...part }) });

test('config check names the file that is in order', async () => {
  const checkConfig: Local['checkConfig'] = async ({ config }) => config ?? 'the built-in config';
  assert.is((await type('config check --config /a/b.ts', { checkConfig })).out, '/a/b.ts is in order\n');
  assert.is((await type('config check', { checkConfig })).out, 'the built-in config is in order\n');
  assert.equal(JSON.parse((await type('config check --json', { checkConfig })).out), { file: 'the built-in config' });
});

test('config check with problems exits with 2 and shows them all', async () => {
  const checkConfig = () => Promise.reject(coreErrors('config', '/a/b.ts has 2 problems:\n  lvm.vgs: …\n  listen: …'));
  const { err, code } = await type('config check', { checkConfig });
  assert.is(err, 'sltv: /a/b.ts has 2 problems:\n  lvm.vgs: …\n  listen: …      [core/config]\n');
  assert.is(code, 2);
});

test('config show prints each value and where it came from', async () => {
  const asked: unknown[] = [];
  const showConfig: Local['showConfig'] = async ({ config, isDefault }) => {
    asked.push({ config, isDefault });
    return [
      { path: 'thinInitialSize', value: 10n * 1024n ** 3n, from: 'default', about: 'first physical size' },
      { path: 'nodeId', value: undefined, from: 'default', about: undefined },
      { path: 'lvm.vgs', value: ['vg-sltv'], from: 'SLTV_DEFAULT_VG', about: undefined },
      { path: 'autoextend.policy', value: function keepFree() {}, from: 'file', about: undefined },
      { path: 'listen[0].mode', value: 0o660, from: 'default', about: undefined },
    ];
  };
  assert.equal((await type('config show', { showConfig })).out.split('\n'), [
    'PATH               VALUE                FROM',
    'thinInitialSize    10 GiB               default',
    'nodeId             -                    default',
    'lvm.vgs            ["vg-sltv"]          SLTV_DEFAULT_VG',
    'autoextend.policy  (function keepFree)  file',
    'listen[0].mode     0o660                default',
    '',
  ]);
  const json = JSON.parse((await type('config show --default --json --config /a', { showConfig })).out);
  assert.equal(json.settings[0], {
    path: 'thinInitialSize',
    value: '10737418240',
    from: 'default',
    about: 'first physical size',
  });
  assert.equal(json.settings[1], { path: 'nodeId', value: null, from: 'default' });
  const [size, about, none] = (await type('config show --about', { showConfig })).out.split('\n');
  assert.equal([size, about], ['thinInitialSize = 10 GiB (default)', '    first physical size']);
  assert.is(none, 'nodeId = - (default)');
  assert.equal(asked.slice(0, 2), [
    { config: undefined, isDefault: false },
    { config: '/a', isDefault: true },
  ]);
});

test('init says what it wrote, what it kept, and what is left to do', async () => {
  const asked: unknown[] = [];
  const initFolder: Local['initFolder'] = async (folder) => {
    asked.push(folder);
    const files = [
      { path: '/c/sltv.config.ts', now: 'kept' },
      { path: '/c/.types', now: 'renewed' },
    ] as const;
    return { files, remarks: ['sltv config check'] };
  };
  const { out, err, code } = await type('init conf', { initFolder });
  assert.is(out, 'FILE               NOW\n/c/sltv.config.ts  kept\n/c/.types          renewed\n');
  assert.is(err, 'sltv: sltv config check\n');
  assert.is(code, 0);
  await type('init', { initFolder });
  assert.equal(asked, ['conf', undefined]);
});

test('init --hooks says what it wrote and what is left to do', async () => {
  const path = '/etc/libvirt/hooks/qemu.d/sltv';
  const installHooks = async () => [{ name: 'qemu', path, isNew: true, remark: 'reload libvirtd' }];
  const { out, err, code } = await type('init --hooks', { installHooks });
  assert.is(out, `FILE                            NOW\n${path}  written\n`);
  assert.is(err, 'sltv: reload libvirtd\n');
  assert.is(code, 0);
});

test('init --hooks without a hook to install says which plugin has one', async () => {
  const { err, code } = await type('init --hooks', { installHooks: async () => [] });
  assert.match(err, 'sltv: no plugin in the config has a hook to install\nhint: add libvirt() to plugins');
  assert.is(code, 9);
});

test('plugin test tells of each case as it ends, and ends with 1 when one failed', async () => {
  const asked: unknown[] = [];
  const testPlugin: Local['testPlugin'] = async function* ({ file, patience }) {
    asked.push({ file, patience });
    yield { case: 'mine locks: they lock', result: 'ok', why: undefined };
    yield { case: 'mine locks: they wait', result: 'failed', why: 'two had it\nat once' };
    yield { case: 'mine locks: they end', result: 'not run', why: undefined };
  };
  const { out, code } = await type('plugin test ./mine.ts --patience 2s', { testPlugin });
  assert.equal(out.split('\n'), [
    'ok       mine locks: they lock',
    'failed   mine locks: they wait',
    '         two had it',
    '         at once',
    'not run  mine locks: they end',
    '',
    '1 ok, 1 failed, 1 not run',
    '',
  ]);
  assert.is(code, 1);
  const lines = (await type('plugin test mine.ts --json', { testPlugin })).out.trim().split('\n');
  assert.equal(JSON.parse(lines[1] ?? ''), {
    case: 'mine locks: they wait',
    result: 'failed',
    why: 'two had it\nat once',
  });
  assert.equal(JSON.parse(lines.at(-1) ?? ''), { ok: 1, failed: 1, notRun: 1 });
  assert.equal(asked, [
    { file: './mine.ts', patience: 2_000 },
    { file: 'mine.ts', patience: undefined },
  ]);
});

test('plugin test of a plugin without faults ends with 0', async () => {
  const testPlugin: Local['testPlugin'] = async function* () {
    yield { case: 'mine locks: they lock', result: 'ok', why: undefined };
  };
  const { out, code } = await type('plugin test mine.ts', { testPlugin });
  assert.is(out, 'ok       mine locks: they lock\n\n1 ok, 0 failed\n');
  assert.is(code, 0);
});

test('hook hands over the words of the hypervisor as they are', async () => {
  const asked: unknown[] = [];
  const hook: Local['hook'] = async ({ name, args, config }) => void asked.push({ name, args, config });
  assert.is((await type('hook qemu web prepare begin -', { hook })).out, '');
  await type('hook --config /a qemu -- --help prepare begin -', { hook });
  assert.equal(asked, [
    { name: 'qemu', args: ['web', 'prepare', 'begin', '-'], config: undefined },
    { name: 'qemu', args: ['--help', 'prepare', 'begin', '-'], config: '/a' },
  ]);
});

test('a hook that refuses says why on stderr and fails', async () => {
  const hook = () => Promise.reject(coreErrors('disk-attached', 'disk web1 belongs to web, not to old'));
  const { err, code } = await type('hook qemu old prepare begin -', { hook });
  assert.match(err, 'sltv: disk web1 belongs to web, not to old');
  assert.is(code, 6);
});

test('daemon runs here and its exit code is ours', async () => {
  const daemon: Local['daemon'] = async ({ config }) => (config === '/a' ? 3 : 0);
  const { out, code } = await type('daemon --config /a', { daemon });
  assert.equal([out, code], ['', 3]);
});

test('version and --version print the version', async () => {
  for (const typed of ['version', '--version']) assert.is((await shell.type(typed)).out, 'sltv 1.2.3\n');
  assert.equal(JSON.parse((await shell.type('version --json')).out), { version: '1.2.3' });
});

test.run();
