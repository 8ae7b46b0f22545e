// A daemon that is killed in the middle of an operation on a disk that no running guest has.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import { GROWN_PATIENTLY } from '../testbed/daemon.ts';
import { type Host, testbed } from '../testbed/index.ts';
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

const test = suite('kill -9 without guests');
const size = (bytes: bigint) => String(bytes);
const thin = (name: string) => ({
  method: 'CreateDisk',
  body: {
    name: name.replace(/^.*\//, ''),
    vg: name.replace(/\/.*$/, ''),
    mode: 'PROVISION_MODE_THIN',
    sizeBytes: size(8n * MiB),
    virtualSizeBytes: size(64n * MiB),
  },
});

let host: Host;
let outcomes: ReadonlyMap<Operation, Outcome>;

const OPERATIONS: readonly Operation[] = [
  {
    title: 'creating a thick disk',
    vg: 'vga',
    // lvcreate, and lvchange when its ends are cleared.
    rounds: 3,
    kills: 2,
    ready: async (round) => ({
      method: 'CreateDisk',
      body: { name: `thick${round}`, vg: 'vga', sizeBytes: size(8n * MiB) },
    }),
    ended: async (disk) => assert.equal([disk?.state, disk?.sizeBytes], ['ready', size(8n * MiB)]),
  },
  {
    title: 'creating a thin disk',
    vg: 'vgb',
    // lvcreate, qemu-img create, lvchange --deltag, lvchange -an.
    rounds: 5,
    kills: 4,
    ready: async (round) => thin(`vgb/thin${round}`),
    ended: async (disk) => {
      assert.equal([disk?.state, disk?.sizeBytes, disk?.virtualSizeBytes], ['ready', size(8n * MiB), size(64n * MiB)]);
    },
  },
  {
    title: 'extending a thin disk by a delta',
    vg: 'vgc',
    rounds: 2,
    kills: 1,
    async ready(round) {
      if (round === 1) await succeed(host, thin('vgc/disk'));
      return { method: 'ExtendDisk', body: { name: 'vgc/disk', deltaBytes: size(4n * MiB) } };
    },
    ended: async (disk, round) => {
      assert.is(disk?.sizeBytes, size(8n * MiB + 4n * MiB * BigInt(round)));
      assert.is(disk?.virtualSizeBytes, size(64n * MiB));
    },
  },
  {
    title: 'resizing a thin disk of a VM that is off',
    vg: 'vgd',
    // lvchange --addtag, lvchange -ay, qemu-img resize, lvchange -an, lvchange --deltag.
    rounds: 6,
    kills: 5,
    async ready(round) {
      if (round === 1) {
        await host.guest('off', { start: false });
        await succeed(host, thin('vgd/disk'));
        await succeed(host, { method: 'AttachDisk', body: { diskName: 'vgd/disk', vmName: 'off' } });
      }
      return {
        method: 'ResizeDisk',
        body: { name: 'vgd/disk', virtualSizeBytes: size(64n * MiB * BigInt(round + 1)) },
      };
    },
    async ended(disk, round) {
      assert.equal([disk?.state, disk?.virtualSizeBytes], ['owned', size(64n * MiB * BigInt(round + 1))]);
    },
  },
  {
    title: 'deleting a disk',
    vg: 'vge',
    rounds: 2,
    kills: 1,
    async ready(round) {
      await succeed(host, {
        method: 'CreateDisk',
        body: { name: `old${round}`, vg: 'vge', sizeBytes: size(8n * MiB) },
      });
      return { method: 'DeleteDisk', body: { name: `vge/old${round}` } };
    },
    ended: async (disk) => assert.is(disk, undefined),
  },
];

test.before(async () => {
  host = await testbed.host({
    name: 'crash',
    disks: OPERATIONS.map(() => '128M'),
    files: { ...shims, ...GROWN_PATIENTLY },
  });
  await makePools(
    host,
    OPERATIONS.map(({ vg }) => vg),
  );
  outcomes = await crashEach(host, await startShimmed(host), OPERATIONS);
});

test.after(async () => {
  await host?.[Symbol.asyncDispose]();
});

for (const operation of OPERATIONS) {
  test(`${operation.title} survives the daemon's death at each of its commands`, () => {
    mustHaveSurvived(operation, outcomes.get(operation));
  });
}

test('each thick disk begins and ends with zeroes, whenever its creator died', async () => {
  const MEBIBYTE = 'head -c 1M /dev/zero | cmp -n 1048576 -';
  const check = `${MEBIBYTE} /dev/vga/$disk && tail -c 1M /dev/vga/$disk | cmp -n 1048576 - /dev/zero`;
  const each = `for disk in thick1 thick2 thick3; do lvchange -ay vga/$disk && ${check} && lvchange -an vga/$disk || exit 1; done`;
  await host.run(each);
});

test('each thin disk is a whole image, whenever its creator died', async () => {
  const check = `qemu-img check -q -f qcow2 /dev/vgb/$disk && qemu-img info -f qcow2 /dev/vgb/$disk | grep -q '(67108864 bytes)'`;
  await host.run(
    `for disk in thin1 thin2 thin3 thin4 thin5; do lvchange -ay vgb/$disk && ${check} && lvchange -an vgb/$disk || exit 1; done`,
  );
});

test.run();
