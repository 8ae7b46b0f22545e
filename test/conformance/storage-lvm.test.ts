import { open } from 'node:fs/promises';
import { type StorageUnderTest, storageConformance } from '../../core/testing/index.ts';
import { hasDeviceMapper, type LoopVg, loopVg } from '../plugins/lvm/fixture.ts';
import { register } from './uvu.ts';

interface LvmUnderTest extends StorageUnderTest {
  readonly vg: LoopVg;
}

register(
  storageConformance<LvmUnderTest>({
    name: 'lvm',
    activation: hasDeviceMapper ? 'switched' : 'none',
    async make() {
      const vg = await loopVg({ sizes: [900] });
      const { storage, pool } = await vg.open();
      return { vg, storage, pool: await pool(), [Symbol.asyncDispose]: () => vg[Symbol.asyncDispose]() };
    },
    revision: ({ vg }) => vg.vg('vg_seqno'),
    reopen: async ({ vg }) => (await vg.open()).pool(),
    makeForeign: async ({ vg }, name) => {
      await vg.lvm('lvcreate', '-an', '-Zn', '-Wn', '-L', '4m', '-n', name, vg.name);
    },
    ...(hasDeviceMapper ? { hold: (_made, { path }) => open(path, 'r+') } : {}),
  }),
);
