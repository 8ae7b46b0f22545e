import { test } from 'uvu';
import * as assert from 'uvu/assert';
import disks from '../../core/disks/index.ts';
import type { Builtins } from '../../core/kernel/builtins.ts';
import { loadModules, pluginsIn } from '../../core/kernel/builtins.ts';
import { openConfig } from '../../core/kernel/open-config.ts';
import manifest from '../../package.json' with { type: 'json' };
import { defaultConfig, modules } from '../../plugins/builtin.ts';

const builtins: Builtins = {
  version: manifest.version,
  modules,
  defaultConfig,
  own: async () => [disks()],
};

test('every module of the executable is public, and every public plugin is in the executable', () => {
  const names = Object.keys(manifest.exports).map((path) => `sltv${path.slice(1)}`);
  const libraries = ['sltv/client', 'sltv/testing'];
  assert.equal(Object.keys(modules).sort(), names.filter((name) => !libraries.includes(name)).sort());
});

test('every plugin is imported by its own name', async () => {
  const found = pluginsIn(await loadModules(builtins));
  const names = Object.keys(modules)
    .filter((name) => name !== 'sltv')
    .map((name) => name.slice('sltv/'.length));
  assert.equal(
    [...found.values()].map(({ name }) => name),
    names,
  );
});

test('the built-in config is in order, and has what the documents promise', async () => {
  const { settings, plugins } = await openConfig({ env: {}, builtins, isDefault: true });
  const value = (path: string) => settings.find((setting) => setting.path === path)?.value;
  assert.is(value('listen[0].unix'), '/run/sltv/sltvd.sock');
  assert.is(value('lvm.vgs[0]'), 'vg-sltv');
  assert.is(value('libvirt.uri'), 'qemu:///system');
  assert.is(value('thinInitialSize'), 10n * 1024n ** 3n);
  assert.equal(
    plugins.map(({ definition }) => definition.name),
    ['disks', 'lvm', 'dir', 'libvirt', 'local-lock', 'autoextend'],
  );
});

for (const [name, word, path, says] of [
  ['SLTV_DEFAULT_VG', 'vg7', 'lvm.vgs[0]', 'Volume Groups that are pools'],
  ['SLTV_LIBVIRT_URI', 'qemu:///session', 'libvirt.uri', 'which libvirtd'],
] as const) {
  test(`${name} sets ${path}`, async () => {
    const { settings } = await openConfig({ env: { [name]: word }, builtins, isDefault: true });
    const setting = settings.find((each) => each.path === path);
    assert.equal([setting?.value, setting?.from], [word, name]);
    assert.match(setting?.about ?? '', says);
  });
}

test.run();
