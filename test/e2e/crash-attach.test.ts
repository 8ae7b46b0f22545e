// A daemon that is killed while it gives a VM a disk, or takes one away.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import { type Guest, testbed } from '../testbed/index.ts';
import { succeed } from './api.ts';
import { crashEach, makePools, mustHaveSurvived, type Operation, shims, startShimmed } from './crash-rounds.ts';

test('a daemon that dies at any command of an attach or a detach leaves nothing that its successor does not settle', async () => {
  await using host = await testbed.host({ name: 'crash-attach', disks: Array(3).fill('64M'), files: shims });
  await makePools(host, ['vga', 'vgb', 'vgc']);
  const daemon = await startShimmed(host);
  const ask = (method: string) => (diskName: string, vmName: string) =>
    succeed(host, { method, body: { diskName, vmName } });
  const [attach, detach] = [ask('AttachDisk'), ask('DetachDisk')];
  const [taker, giver] = [await host.guest('taker'), await host.guest('giver')];
  const off = await host.guest('off', { start: false });
  for (const vg of ['vga', 'vgb', 'vgc']) {
    await succeed(host, { method: 'CreateDisk', body: { name: 'disk', vg, sizeBytes: String(8n * MiB) } });
  }
  /** What was written in the round before is there; then another mark is. */
  const carriesOver = async (guest: Guest, round: number) => {
    if (round > 1) await guest.verify('1M', { mark: round - 1 });
    await guest.write('1M', { mark: round });
  };

  const operations: readonly Operation[] = [
    {
      title: 'attaching to a running VM',
      vg: 'vga',
      vm: taker.uuid,
      // lvchange -ay --addtag, attach-device, lvchange.
      changes: 3,
      async ready(round) {
        if (round > 1) await detach('vga/disk', 'taker');
        return { method: 'AttachDisk', body: { diskName: 'vga/disk', vmName: 'taker' } };
      },
      async ended(disk, round) {
        assert.equal([disk?.state, disk?.vmUuid, disk?.targetDev], ['owned', taker.uuid, 'vda']);
        await carriesOver(taker, round);
      },
    },
    {
      title: 'attaching to a VM that is off',
      vg: 'vgb',
      vm: off.uuid,
      changes: 3,
      async ready(round) {
        if (round > 1) await detach('vgb/disk', 'off');
        return { method: 'AttachDisk', body: { diskName: 'vgb/disk', vmName: 'off' } };
      },
      ended: async (disk) => assert.equal([disk?.state, disk?.vmUuid], ['owned', off.uuid]),
    },
    {
      title: 'detaching from a running VM',
      vg: 'vgc',
      vm: giver.uuid,
      // lvchange --addtag, detach-disk --config, detach-device-alias, lvchange -an, lvchange --deltag.
      changes: 5,
      async ready(round) {
        await attach('vgc/disk', 'giver');
        await carriesOver(giver, round);
        return { method: 'DetachDisk', body: { diskName: 'vgc/disk', vmName: 'giver' } };
      },
      async ended(disk) {
        assert.equal([disk?.state, disk?.vmUuid], ['ready', '']);
        assert.not(await giver.sees('vda'));
      },
    },
  ];
  const outcomes = await crashEach(host, daemon, operations);
  for (const operation of operations) mustHaveSurvived(operation, outcomes.get(operation));
});

test.run();
