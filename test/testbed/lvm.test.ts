// What the lvm plugin does with device-mapper and udev, which only a test-bed host has: the cases of the Storage suite
// that need devices, run inside.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { paths } from './bootfiles.ts';
import { testbed } from './index.ts';

test('lvm volumes are activated, deactivated, kept while they are open, and removed', async () => {
  await using host = await testbed.host({ name: 'lvm', libvirt: false });
  const suite = 'node_modules/.bin/node test/conformance/storage-lvm.test.ts';
  const { stdout } = await host.run(`modprobe loop && cd ${paths.root} && SLTV_TEST_DEVICE_MAPPER=1 ${suite}`, {
    timeout: 600_000,
  });
  const [, total, passed] = /Total: +(\d+)\s+Passed: +(\d+)/.exec(stdout) ?? [];
  assert.is(passed, total, stdout);
  assert.ok(Number(total) >= 10, stdout);
  assert.is((await host.run('dmsetup ls; losetup --all')).stdout.trim(), 'No devices found');
});

test.run();
