// Metadata alone on this machine. In a host of the test bed, where a command takes ten times as long, what needs devices.
import { open } from 'node:fs/promises';
import { type StorageUnderTest, storageConformance } from '../../core/testing/index.ts';
import { hasDeviceMapper, type LoopVg, loopVg } from '../plugins/lvm/fixture.ts';
import { register } from './uvu.ts';

interface LvmUnderTest extends StorageUnderTest {
  readonly vg: LoopVg;
}

const withoutDevices = storageConformance<LvmUnderTest>({
  name: 'lvm',
  activation: 'none',
  make,
  revision: ({ vg }) => vg.vg('vg_seqno'),
  reopen: async ({ vg }) => (await vg.open()).pool(),
  makeForeign: async ({ vg }, name) => {
    await vg.lvm('lvcreate', '-an', '-Zn', '-Wn', '-L', '4m', '-n', name, vg.name);
  },
});

const withDevices = storageConformance<LvmUnderTest>({
  name: 'lvm',
  activation: 'switched',
  make,
  hold: (_made, { path }) => open(path, 'r+'),
});

const known = new Set(withoutDevices.map(({ title }) => title));
register(hasDeviceMapper ? withDevices.filter(({ title }) => !known.has(title)) : withoutDevices);

async function make(): Promise<LvmUnderTest> {
  const vg = await loopVg({ sizes: [900] });
  const { storage, pool } = await vg.open();
  return { vg, storage, pool: await pool(), [Symbol.asyncDispose]: () => vg[Symbol.asyncDispose]() };
}
