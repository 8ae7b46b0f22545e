// A daemon that is killed while it gives a VM a disk, or takes one away.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import { GROWN_PATIENTLY } from '../testbed/daemon.ts';
import { type Guest, testbed } from '../testbed/index.ts';
import { succeed } from './api.ts';
import { crashEach, makePools, mustHaveSurvived, type Operation, shims, startShimmed } from './crash-rounds.ts';

// Attaching to a running VM: lvchange -ay --addtag, attach-device, lvchange.
// Detaching: lvchange --addtag, detach-disk --config, detach-device-alias, lvchange -an, lvchange --deltag.
// Two disks go back and forth, so that each round has one of both; when the VM is off, a detach takes three commands.
const ROUNDS = 6;
const isOdd = (round: number) => round % 2 === 1;

test('a daemon that dies at any command of an attach or a detach leaves nothing that its successor does not settle', async () => {
  await using host = await testbed.host({
    name: 'crash-attach',
    disks: Array(3).fill('64M'),
    files: { ...shims, ...GROWN_PATIENTLY },
  });
  await makePools(host, ['vga', 'vgb', 'vgc']);
  const daemon = await startShimmed(host);
  const [first, second] = [await host.guest('first'), await host.guest('second')];
  const off = await host.guest('off', { start: false });
  for (const vg of ['vga', 'vgb', 'vgc']) {
    await succeed(host, { method: 'CreateDisk', body: { name: 'disk', vg, sizeBytes: String(8n * MiB) } });
  }
  await succeed(host, { method: 'AttachDisk', body: { diskName: 'vgb/disk', vmName: 'second' } });
  await second.write('1M', { mark: 0 });

  const backAndForth = (vg: string, vm: string, isAttach: (round: number) => boolean) => async (round: number) => ({
    method: isAttach(round) ? 'AttachDisk' : 'DetachDisk',
    body: { diskName: `${vg}/disk`, vmName: vm },
  });
  const running = (vg: string, guest: Guest, isAttach: (round: number) => boolean): Operation => ({
    title: `attaching to the running ${guest.name}, detaching`,
    vg,
    vm: guest.uuid,
    rounds: ROUNDS,
    // Attaches of odd rounds and detaches of even ones, or the other way round.
    kills: [1, 2, 3, 4, 5].filter((round) => !isAttach(round) || round <= 3).length,
    ready: backAndForth(vg, guest.name, isAttach),
    async ended(disk, round) {
      if (isAttach(round)) {
        assert.equal([disk?.state, disk?.vmUuid, disk?.targetDev], ['owned', guest.uuid, 'vda']);
        // What was written when it had the disk last.
        if (round > 2) await guest.verify('1M', { mark: round - 2 });
        await guest.write('1M', { mark: round });
      } else {
        assert.equal([disk?.state, disk?.vmUuid], ['ready', '']);
        assert.not(await guest.sees('vda'));
      }
    },
  });
  const operations: readonly Operation[] = [
    running('vga', first, isOdd),
    running('vgb', second, (round) => !isOdd(round)),
    {
      title: 'attaching to a VM that is off, detaching',
      vg: 'vgc',
      vm: off.uuid,
      rounds: ROUNDS,
      kills: 6,
      at: (round) => Math.ceil(round / 2),
      ready: backAndForth('vgc', 'off', isOdd),
      async ended(disk, round) {
        assert.equal([disk?.state, disk?.vmUuid], isOdd(round) ? ['owned', off.uuid] : ['ready', '']);
      },
    },
  ];
  const outcomes = await crashEach(host, daemon, operations);
  for (const operation of operations) mustHaveSurvived(operation, outcomes.get(operation));
});

test.run();
