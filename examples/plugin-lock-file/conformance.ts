// What `sltv plugin test conformance.ts` needs to know of these locks.
import { Locks } from 'sltv';
import type { Bench, Conformance } from 'sltv/testing';
import lockFile from './lock-file.ts';

export { default } from './lock-file.ts';

const locksOf = async ({ folder, boot }: Bench) => (await boot([lockFile({ folder })])).get(Locks);

export const conformance: Conformance = {
  locks: {
    make: async (bench) => ({ locks: await locksOf(bench) }),
    keepsMarks: true,
    another: locksOf,
    async crash(bench) {
      await bench.stop();
      return locksOf(bench);
    },
  },
};
