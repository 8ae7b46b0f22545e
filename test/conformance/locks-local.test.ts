import { locksConformance } from '../../core/testing/index.ts';
import { createLocalLocks } from '../../plugins/local-lock/locks.ts';
import { register } from './uvu.ts';

register(
  locksConformance({
    name: 'local-lock',
    async make() {
      const daemon = new AbortController();
      return {
        locks: createLocalLocks('0123456789abcdef0123456789abcdef', daemon.signal),
        [Symbol.asyncDispose]: async () => daemon.abort(),
      };
    },
  }),
);
