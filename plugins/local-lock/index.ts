// Locks among the requests of one daemon, for a host that shares its storage with nobody.
import { definePlugin, Locks, v } from 'sltv';
import { createLocalLocks } from './locks.ts';

export default definePlugin({
  name: 'local-lock',
  api: 1,
  options: v.strictObject({}),
  provides: { locks: Locks },
  setup: ({ node, signal }) => ({ provides: { locks: createLocalLocks(node.machineId, signal) } }),
});
