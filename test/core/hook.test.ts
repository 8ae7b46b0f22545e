import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Cluster } from '../../core/capabilities/cluster.ts';
import { type Hook, Hooks } from '../../core/capabilities/hypervisor.ts';
import { Locks } from '../../core/capabilities/locks.ts';
import { Storage } from '../../core/capabilities/storage.ts';
import { SltvError } from '../../core/errors.ts';
import { answerHook, type HookOptions, installHooks } from '../../core/hook.ts';
import { definePlugin } from '../../core/kernel/plugin.ts';
import { memoryCluster, memoryClusterWorld } from '../fixtures/memory-cluster.ts';
import { keptLog } from './kernel/kit.ts';

/** A host with a storage that needs locks, a hook, and a plugin that has nothing to do with either. */
async function makeHost(): Promise<
  AsyncDisposable & { options: HookOptions; path: string; up: string[]; read: string[][] }
> {
  const path = await mkdtemp(join(tmpdir(), 'sltv-hook-'));
  const up: string[] = [];
  const read: string[][] = [];
  const hook: Hook = {
    name: 'qemu',
    script: (executable) => ({
      path: join(path, 'hooks/qemu.d/sltv'),
      text: `#!/bin/sh\nexec ${executable}\n`,
      remark: 'reload it',
    }),
    read(args, input) {
      read.push([...args, input], [...up]);
      return undefined;
    },
  };
  const rising =
    (name: string) =>
    ({ defer }: { defer(undo: () => void): void }) => {
      up.push(name);
      defer(() => void up.splice(up.indexOf(name), 1));
    };
  const plugins = [
    definePlugin({ name: 'metrics', api: 1, setup: rising('metrics') }),
    definePlugin({
      name: 'store',
      api: 1,
      requires: { locks: Locks },
      provides: { storage: Storage },
      setup(context) {
        rising('store')(context);
        return { provides: { storage: { kind: 'none', pools: async () => [] } } };
      },
    }),
    definePlugin({
      name: 'locks',
      api: 1,
      provides: { locks: Locks },
      setup(context) {
        rising('locks')(context);
        const acquire = () => Promise.reject(new Error('nobody writes in a hook'));
        return { provides: { locks: { domain: 'here', acquire } } };
      },
    }),
    definePlugin({
      name: 'nearby',
      api: 1,
      provides: { cluster: Cluster },
      setup(context) {
        rising('nearby')(context);
        // A hook is no daemon: nobody may think that one is up because a VM starts.
        const join = () => assert.unreachable('a hook joins nothing');
        return { provides: { cluster: { ...memoryCluster(memoryClusterWorld(), { node: 'n1', boot: 'b1' }), join } } };
      },
    }),
    definePlugin({ name: 'virt', api: 1, provides: { hook: Hooks }, setup: () => ({ provides: { hook } }) }),
  ];
  const config = {
    stateDir: join(path, 'state'),
    runDir: join(path, 'run'),
    plugins: plugins.map((plugin) => plugin()),
  };
  const builtins = { version: '0', modules: {}, defaultConfig: async () => config, own: async () => [] };
  const { log } = keptLog();
  const options = { env: {}, builtins, isDefault: true, signal: new AbortController().signal, log };
  return { options, path, up, read, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('a hook brings up storage, hooks and the cluster with what they require, nothing else, joins nothing, and takes them down again', async () => {
  await using host = await makeHost();
  await answerHook(host.options, { name: 'qemu', args: ['web', 'prepare'], input: '<domain/>' });
  assert.equal(host.read, [
    ['web', 'prepare', '<domain/>'],
    ['locks', 'store', 'nearby'],
  ]);
  assert.equal(host.up, []);
});

test('a hook that nobody has is refused with those there are', async () => {
  await using host = await makeHost();
  const error = await answerHook(host.options, { name: 'xen', args: [], input: '' }).catch((thrown: unknown) => thrown);
  assert.instance(error, SltvError);
  assert.is((error as SltvError).code, 'core/no-provider');
  assert.is((error as SltvError).hint, 'there is qemu');
  assert.equal(host.up, []);
});

test('hook scripts are written to be run, once', async () => {
  await using host = await makeHost();
  const [first] = await installHooks(host.options, '/usr/local/bin/sltv');
  assert.is(first?.name, 'qemu');
  assert.ok(first?.isNew);
  assert.match(first?.remark ?? '', 'reload');
  const path = first?.path ?? '';
  assert.is(await readFile(path, 'utf8'), '#!/bin/sh\nexec /usr/local/bin/sltv\n');
  assert.is((await stat(path)).mode & 0o777, 0o755);
  const [second] = await installHooks(host.options, '/usr/local/bin/sltv');
  assert.not.ok(second?.isNew);
  assert.is(second?.remark, undefined);
  const [moved] = await installHooks(host.options, '/opt/sltv');
  assert.ok(moved?.isNew);
});

test.run();
