import { locksConformance } from '../../core/testing/index.ts';
import { createSharedLocks } from '../fixtures/shared-locks.ts';
import { register } from './uvu.ts';

register(
  locksConformance({
    name: 'shared, in memory',
    make: async () => ({ locks: createSharedLocks(), [Symbol.asyncDispose]: async () => {} }),
  }),
);
