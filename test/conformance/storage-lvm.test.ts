// Metadata alone on this machine. In a host of the test bed, where a command takes ten times as long, what needs devices.
import { open } from 'node:fs/promises';
import type { Locks } from '../../core/capabilities/locks.ts';
import { type StorageUnderTest, storageConformance } from '../../core/testing/index.ts';
import { createLocalLocks } from '../../plugins/local-lock/locks.ts';
import { createSharedLocks } from '../fixtures/shared-locks.ts';
import { hasDeviceMapper, type LoopVg, loopVg, never } from '../plugins/lvm/fixture.ts';
import { register } from './uvu.ts';

interface LvmUnderTest extends StorageUnderTest {
  readonly vg: LoopVg;
  readonly locks: Locks;
}

const withoutDevices = storageConformance<LvmUnderTest>({
  name: 'lvm',
  activation: 'none',
  make: () => make(),
  revision: ({ vg }) => vg.vg('vg_seqno'),
  reopen: async ({ vg }) => (await vg.open()).pool(),
  makeForeign: async ({ vg }, name) => {
    await vg.lvm('lvcreate', '-an', '-Zn', '-Wn', '-L', '4m', '-n', name, vg.name);
  },
});

/** As another host of a cluster sees it. */
const shared = storageConformance<LvmUnderTest>({
  name: 'lvm, shared',
  activation: 'none',
  make: () => make({ locks: createSharedLocks() }),
  revision: ({ vg }) => vg.vg('vg_seqno'),
  reopen: async ({ vg, locks }) => (await vg.open({ host: 'other', locks })).pool(),
});

const withDevices = storageConformance<LvmUnderTest>({
  name: 'lvm',
  activation: 'switched',
  make: () => make(),
  hold: (_made, { path }) => open(path, 'r+'),
});

const known = new Set(withoutDevices.map(({ title }) => title));
register(hasDeviceMapper ? withDevices.filter(({ title }) => !known.has(title)) : [...withoutDevices, ...shared]);

async function make({ locks = createLocalLocks('host', never) }: { locks?: Locks } = {}): Promise<LvmUnderTest> {
  const vg = await loopVg({ sizes: [900] });
  const { storage, pool } = await vg.open({ locks });
  return { vg, locks, storage, pool: await pool(), [Symbol.asyncDispose]: () => vg[Symbol.asyncDispose]() };
}
