// A volume's device beside its volume. Without device-mapper a node of that name leads to another block device.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deviceNode, loopVg, MEBIBYTE, never, shim } from './fixture.ts';

const MIB = BigInt(MEBIBYTE);
const NEW = { name: 'a', notes: { v: ['1'] }, format: 'raw', active: false } as const;

test('a device is current when it has the volume’s size, and where there is none', async () => {
  await using vg = await loopVg({ sizes: [256, 64] });
  const pool = await (await vg.open()).pool();
  const volume = await pool.change({ signal: never }, (writer) => writer.create({ ...NEW, size: 64n * MIB }));
  assert.is(await pool.isCurrent?.(volume), true);
  await using _node = await deviceNode(vg, 'a', vg.devices[1] ?? '');
  assert.is(await pool.isActive(volume), true);
  assert.is(await pool.isCurrent?.(volume), true);
  assert.is(await pool.isCurrent?.({ ...volume, size: 68n * MIB }), false);
});

test('a refresh is one command for an active device, none for another, and no commit', async () => {
  await using vg = await loopVg({ sizes: [256, 64] });
  const asked = `${vg.directory}/asked`;
  const says = `case "$*" in lvchange*) echo "$@" >>${asked};; esac; exec $LVM "$@"`;
  const { pool: find, take } = await vg.open({ env: await shim(vg.directory, says) });
  const pool = await find();
  await pool.change({ signal: never }, (writer) => writer.create({ ...NEW, size: 64n * MIB }));
  const before = await vg.sequence();
  take();
  await pool.refresh?.('a', never);
  assert.equal(take(), []);
  await using _node = await deviceNode(vg, 'a', vg.devices[1] ?? '');
  await pool.refresh?.('a', never);
  assert.equal(take(), ['lvm lvchange']);
  assert.is(await vg.sequence(), before);
});

test.run();
