// A daemon that is killed while a disk grows under a running guest, or is deleted by force.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytes, succeed } from '../e2e/api.ts';
import { crashEach, makePools, mustHaveSurvived, type Operation, shims, startShimmed } from '../e2e/crash-rounds.ts';
import { GROWN_PATIENTLY } from '../testbed/daemon.ts';
import { testbed } from '../testbed/index.ts';

test('a daemon that dies at any command of an extension, a resize or a forced deletion leaves nothing half-done', async () => {
  await using host = await testbed.host({
    name: 'crash-grow',
    disks: Array(3).fill('128M'),
    files: { ...shims, ...GROWN_PATIENTLY },
  });
  await makePools(host, ['vgd', 'vge', 'vgf']);
  const daemon = await startShimmed(host);
  const create = (body: object) => succeed(host, { method: 'CreateDisk', body });
  const attach = (diskName: string, vmName: string) =>
    succeed(host, { method: 'AttachDisk', body: { diskName, vmName } });
  const owner = await host.guest('owner');
  const off = await host.guest('off', { start: false });
  await create({ name: 'disk', vg: 'vge', sizeBytes: bytes(8) });
  await create({
    name: 'disk',
    vg: 'vgf',
    mode: 'PROVISION_MODE_THIN',
    sizeBytes: bytes(8),
    virtualSizeBytes: bytes(64),
  });
  await attach('vge/disk', 'owner');
  await attach('vgf/disk', 'owner');
  await owner.write('2M', { disk: 'vda', mark: 1 });
  await owner.write('2M', { disk: 'vdb', mark: 2 });

  const operations: readonly Operation[] = [
    {
      title: 'deleting by force what a VM has',
      vg: 'vgd',
      vm: off.uuid,
      // lvchange --addtag, detach-disk --config, lvchange --deltag, lvremove.
      rounds: 4,
      kills: 3,
      // Its first is a detach's, too.
      at: (round) => round + 1,
      async ready(round) {
        await create({ name: `old${round}`, vg: 'vgd', sizeBytes: bytes(8) });
        await attach(`vgd/old${round}`, 'off');
        return { method: 'DeleteDisk', body: { name: `vgd/old${round}`, force: true } };
      },
      ended: async (disk) => assert.is(disk, undefined),
    },
    {
      title: 'extending a thick disk by a delta under a running guest',
      vg: 'vge',
      vm: `${owner.uuid}*--path=vda`,
      // lvextend, blockresize.
      rounds: 3,
      kills: 2,
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
      rounds: 4,
      kills: 3,
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
  const outcomes = await crashEach(host, daemon, operations);
  for (const operation of operations) mustHaveSurvived(operation, outcomes.get(operation));
});

test.run();
