// VMs of this host, by libvirt.
import { definePlugin, Hooks, Hypervisor, v } from 'sltv';
import { fail } from './errors.ts';
import { createHook } from './hook.ts';
import { createHypervisor } from './hypervisor.ts';
import { loadXml } from './xml.ts';

const Milliseconds = v.pipe(v.number(), v.integer(), v.minValue(1));

const LibvirtOptions = v.strictObject({
  uri: v.pipe(
    v.optional(
      v.pipe(v.string(), v.regex(/^[a-z][a-z+]*:\S+$/, 'expected a libvirt address such as qemu:///system')),
      'qemu:///system',
    ),
    v.description('which libvirtd'),
  ),
  deadlines: v.optional(
    v.strictObject({
      read: v.pipe(v.optional(Milliseconds, 10_000), v.description('milliseconds that looking at VMs may take')),
      change: v.pipe(
        v.optional(Milliseconds, 15_000),
        v.description('milliseconds that attaching, detaching, resizing, arming or resuming may take'),
      ),
      statistics: v.pipe(
        v.optional(Milliseconds, 5_000),
        v.description('milliseconds for the statistics of all VMs at once, before each is asked alone'),
      ),
      alone: v.pipe(
        v.optional(Milliseconds, 2_000),
        v.description('milliseconds for the statistics of one VM that is asked alone, when another hangs'),
      ),
    }),
    {},
  ),
});

export default definePlugin({
  name: 'libvirt',
  api: 1,
  options: LibvirtOptions,
  env: { SLTV_LIBVIRT_URI: (uri) => ({ uri }) },
  errors: fail,
  provides: { hypervisor: Hypervisor, hook: Hooks },
  async setup({ options: { uri, deadlines }, run, node, log, signal }) {
    const xml = await loadXml();
    const hypervisor = createHypervisor({ run, xml, uri, deadlines, scratch: node.runDir, log, life: signal });
    return { provides: { hypervisor, hook: createHook(xml) } };
  },
});
