// plugins/lvm: Volume Groups as pools, their LVs as volumes, their tags as the catalogue.
import { definePlugin, Locks, Storage, v } from 'sltv';
import { createLvm } from './commands.ts';
import { lvmErrors } from './errors.ts';
import { systemIdOf } from './marks.ts';
import { lockTimes } from './measures.ts';
import { VG_NAME } from './names.ts';
import { createStorage } from './storage.ts';

export default definePlugin({
  name: 'lvm',
  api: 1,
  options: v.strictObject({
    vgs: v.pipe(
      v.optional(v.array(v.pipe(v.string(), v.regex(VG_NAME, 'not a name that a volume group can have'))), ['vg-sltv']),
      v.description('Volume Groups that are pools, the default one first; VGs that are marked as pools are pools too'),
    ),
  }),
  env: { SLTV_DEFAULT_VG: (vg) => ({ vgs: [vg] }) },
  errors: lvmErrors,
  requires: { locks: Locks },
  provides: { storage: Storage },
  setup({ options, use, run, log, node, signal, emit }) {
    const { locks } = use;
    const lvm = createLvm(run, systemIdOf(locks.domain));
    const times = lockTimes(emit);
    const storage = createStorage({ lvm, locks, log, vgs: options.vgs, node, life: signal, times });
    return { provides: { storage } };
  },
});
