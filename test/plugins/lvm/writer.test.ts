// What a turn knows of its VG, where moments decide: lvm and the catalogue are stand-ins that take as long as they are told.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lease } from '../../../core/capabilities/locks.ts';
import type { Catalogue } from '../../../plugins/lvm/catalogue.ts';
import type { Lvm } from '../../../plugins/lvm/commands.ts';
import type { TaggedVolume, VolumeGroup } from '../../../plugins/lvm/report.ts';
import { createWriter } from '../../../plugins/lvm/writer.ts';
import { never } from './fixture.ts';

const EXTENT = 4096n;

test('what is looked at behind a removal, while the next command runs, is not what that command has made', async () => {
  let group = groupOf({ a: EXTENT, b: EXTENT });
  let looked = () => {};
  const catalogue: Pick<Catalogue, 'look'> = {
    async look() {
      looked();
      return group;
    },
  };
  const lvm: Pick<Lvm, 'commit'> = {
    async commit([command]) {
      if (command === 'lvremove') group = groupOf({ b: EXTENT });
      if (command !== 'lvextend') return;
      await new Promise<void>((resolve) => {
        // A look that is only for later keeps no process alive.
        const patience = setTimeout(resolve, 5_000);
        looked = () => {
          clearTimeout(patience);
          resolve();
        };
      });
      await Promise.resolve();
      group = groupOf({ b: 3n * EXTENT });
    },
  };
  await using writer = createWriter({
    // The rest of both is never asked for here.
    lvm: lvm as Lvm,
    catalogue: catalogue as Catalogue,
    ...{ lease, guard: undefined, life: never },
  });
  await writer.remove('a');
  assert.is((await writer.extend('b', 3n * EXTENT)).size, 3n * EXTENT);
});

const lease: Lease = {
  token: 1n,
  lost: never,
  remaining: () => Number.POSITIVE_INFINITY,
  prove: async () => {},
  handover: undefined,
  leave: () => {},
  [Symbol.asyncDispose]: async () => {},
};

function groupOf(sizes: Readonly<Record<string, bigint>>): VolumeGroup {
  const volumes = Object.entries(sizes).map(([name, size]): [string, TaggedVolume] => [
    name,
    { volume: { pool: 'vg', name, size, path: `/dev/vg/${name}`, notes: {} }, tags: [] },
  ]);
  return {
    ...{ name: 'vg', uuid: 'u', sequence: 1, notes: {}, tags: [], systemId: '' },
    ...{ size: 1024n * EXTENT, free: 512n * EXTENT, extent: EXTENT, metadata: { size: 4096n, free: 4096n } },
    ...{ devices: ['/dev/a'], metadataDevices: ['/dev/a'], devicesMissing: 0, writable: true, autoActivated: false },
    volumes: new Map(volumes),
  };
}

test.run();
