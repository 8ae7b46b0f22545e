// Write thresholds: QEMU tells once when a guest writes beyond one.
import type { Threshold } from 'sltv';
import { mustBeUuid } from './look.ts';
import type { Patience, Virsh } from './virsh.ts';

/**
 * Arms all of a VM's thresholds in one process; those that can be are armed, whatever the others come to. It needs no turn
 * among the changes of a VM's devices, and no lock that a following daemon waits for: that one arms everything anew, and an
 * older threshold, being the lower, is at worst told too early. Errors: `libvirt/vm-missing`, `libvirt/vm-off`,
 * `libvirt/target-empty`.
 */
export async function arm(
  virsh: Virsh,
  vm: string,
  thresholds: readonly Threshold[],
  patience: Patience,
): Promise<void> {
  mustBeUuid(vm);
  if (thresholds.length === 0) return;
  const commands = thresholds.map(({ target, offset }) => [
    'domblkthreshold',
    `--domain=${vm}`,
    `--dev=${target}`,
    `--threshold=${offset}`,
  ]);
  await virsh(commands, patience);
}
