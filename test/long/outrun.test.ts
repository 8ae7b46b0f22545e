// The same guest under two policies: one keeps ahead of it, the other, as it used to be, does not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { testbed } from '../testbed/index.ts';
import { outrun, POLLING, SMALL_STEPS } from '../testbed/outrun.ts';

test('a guest at full speed is kept ahead of by events, stops under polling, and is whole and running after both', async () => {
  await using host = await testbed.host({ name: 'outrun', disks: ['20G'], memory: 1024 });
  await host.run('vgcreate -q vg-sltv /dev/vda');
  const guest = await host.guest('web');
  const ahead = await outrun(host, guest, SMALL_STEPS, 3072);
  assert.is(ahead.pauses, 0, `no pause at ${ahead.megabytesPerSecond.toFixed(0)} MiB/s`);
  // How many there are depends on how slow this machine's LVM is: a longer extension asks for more at once.
  assert.ok(ahead.extensions >= 2, `extended ${ahead.extensions} times`);
  const polled = await outrun(host, guest, POLLING, 3072);
  assert.ok(polled.pauses > 0, 'polling is too slow for it, or this test says nothing');
});

test.run();
