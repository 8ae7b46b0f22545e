// A daemon that is killed in the middle of an operation on a disk of a VM.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import { type Guest, testbed } from '../testbed/index.ts';
import { succeed } from './api.ts';
import {
  crashEach,
  makePools,
  mustHaveSurvived,
  type Operation,
  type Outcome,
  shims,
  startShimmed,
} from './crash-rounds.ts';

const test = suite('kill -9 with guests');
const bytes = (mebibytes: number) => String(BigInt(mebibytes) * MiB);

test('whatever an operation on a disk of a VM was doing when its daemon died comes to rest', async () => {
  await using host = await testbed.host({
    name: 'crash-vms',
    disks: Array(6).fill('128M'),
    memory: 1024,
    files: shims,
  });
  await makePools(host, ['vga', 'vgb', 'vgc', 'vgd', 'vge', 'vgf']);
  const daemon = await startShimmed(host);
  const thick = (name: string, vg: string) =>
    succeed(host, { method: 'CreateDisk', body: { name, vg, sizeBytes: bytes(8) } });
  const attach = (diskName: string, vmName: string) =>
    succeed(host, { method: 'AttachDisk', body: { diskName, vmName } });
  const detach = (diskName: string, vmName: string) =>
    succeed(host, { method: 'DetachDisk', body: { diskName, vmName } });

  const [taker, giver, owner] = [await host.guest('taker'), await host.guest('giver'), await host.guest('owner')];
  const [off, last] = [await host.guest('off', { start: false }), await host.guest('last', { start: false })];
  for (const vg of ['vga', 'vgb', 'vgc', 'vge']) await thick('disk', vg);
  await succeed(host, {
    method: 'CreateDisk',
    body: { name: 'disk', vg: 'vgf', mode: 'PROVISION_MODE_THIN', sizeBytes: bytes(8), virtualSizeBytes: bytes(64) },
  });
  await attach('vge/disk', 'owner');
  await attach('vgf/disk', 'owner');
  await owner.write('2M', { disk: 'vda', mark: 1 });
  await owner.write('2M', { disk: 'vdb', mark: 2 });
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
    {
      title: 'deleting by force what a VM has',
      vg: 'vgd',
      vm: last.uuid,
      // lvchange --addtag, detach-disk --config, lvchange --deltag, lvremove.
      changes: 4,
      async ready(round) {
        await thick(`old${round}`, 'vgd');
        await attach(`vgd/old${round}`, 'last');
        return { method: 'DeleteDisk', body: { name: `vgd/old${round}`, force: true } };
      },
      ended: async (disk) => assert.is(disk, undefined),
    },
    {
      title: 'extending a thick disk by a delta under a running guest',
      vg: 'vge',
      vm: `${owner.uuid}*--path=vda`,
      changes: 2,
      ready: async () => ({ method: 'ExtendDisk', body: { name: 'vge/disk', deltaBytes: bytes(4) } }),
      whole: () => owner.verify('2M', { disk: 'vda', mark: 1 }),
      async ended(disk, round) {
        assert.is(disk?.sizeBytes, bytes(8 + 4 * round));
        assert.is(await owner.size('vda'), BigInt(bytes(8 + 4 * round)));
      },
    },
    {
      title: 'resizing a thin disk under a running guest',
      vg: 'vgf',
      vm: `${owner.uuid}*--path=vdb`,
      // lvchange --addtag, blockresize, lvchange --deltag.
      changes: 3,
      ready: async (round) => ({
        method: 'ResizeDisk',
        body: { name: 'vgf/disk', virtualSizeBytes: bytes(64 + 32 * round) },
      }),
      whole: () => owner.verify('2M', { disk: 'vdb', mark: 2 }),
      async ended(disk, round) {
        assert.equal([disk?.state, disk?.virtualSizeBytes], ['owned', bytes(64 + 32 * round)]);
        assert.is(await owner.size('vdb'), BigInt(bytes(64 + 32 * round)));
      },
    },
  ];
  const outcomes: ReadonlyMap<Operation, Outcome> = await crashEach(host, daemon, operations);
  for (const operation of operations) mustHaveSurvived(operation, outcomes.get(operation));
});

test.run();
