// Gives a VM a disk: now, if it runs, and at its next start, if it is defined.
import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NewVmDisk, VmDisk } from 'sltv';
import { fail } from './errors.ts';
import { type Look, merged, type Sight } from './look.ts';
import { firstFree } from './targets.ts';
import type { Patience, Virsh } from './virsh.ts';
import type { Xml } from './xml.ts';

export interface Attaching {
  readonly virsh: Virsh;
  readonly look: Look;
  readonly xml: Xml;
  /** Where the device's XML stands for the moment in which virsh reads it. */
  readonly scratch: string;
  readonly change: Patience;
  readonly read: Patience;
}

/**
 * Adds a disk and answers with what the VM has then. A disk that is there by half, now or at the next start only, gets its
 * other half. The caller sees to it that nothing else is attached to this VM meanwhile.
 * Errors: `libvirt/vm-missing`, `libvirt/target-in-use`, `libvirt/already-attached`, `libvirt/no-slot`,
 * `libvirt/source-in-use`, `libvirt/source-unreadable`.
 */
export async function attach(means: Attaching, vm: string, disk: NewVmDisk): Promise<VmDisk> {
  const before = await means.look(vm, means.read);
  const present = presentAs(before, disk);
  const target = present?.target ?? disk.target ?? firstFree(merged(before).map((other) => other.target));
  mustBeFree(before, target, disk.path);
  const missing = missingHalves(before, present);
  if (present && missing.length === 0) return present;
  const refusal = await plugIn(means, vm, { ...disk, target }, missing).catch((error: unknown) => error);
  means.change.signal.throwIfAborted();
  // Believe the device: an answer that came late, or not at all, may have been a yes.
  const after = await means.look(vm, means.read);
  const device = merged(after).find((each) => each.target === target && each.path === disk.path);
  if (device && missingHalves(after, device).length === 0) return device;
  throw refusal ?? fail('failed', `libvirt said that ${after.name} has ${disk.path} at ${target}, and it has not`);
}

/** The disk as the VM has it already. Errors: `libvirt/already-attached` at another target than the wanted one. */
function presentAs(sight: Sight, { path, target }: NewVmDisk): VmDisk | undefined {
  const present = merged(sight).filter((disk) => disk.path === path);
  const fitting = present.find((disk) => target === undefined || disk.target === target);
  const [other] = present;
  if (other && !fitting) {
    throw fail('already-attached', `${sight.name} has ${path} already, at ${other.target}`, {
      hint: `detach it there first, or ask for ${other.target}`,
    });
  }
  return fitting;
}

function mustBeFree(sight: Sight, target: string, path: string): void {
  const disks = merged(sight);
  const taken = disks.find((disk) => disk.target === target && disk.path !== path);
  if (!taken) return;
  throw fail('target-in-use', `${sight.name} has ${taken.path ?? 'another device'} at ${target} already`, {
    hint: `${firstFree(disks.map((disk) => disk.target))} is free`,
  });
}

const missingHalves = (sight: Sight, disk: VmDisk | undefined): readonly string[] => [
  ...(sight.isRunning && !disk?.live ? ['--live'] : []),
  ...(sight.isPersistent && !disk?.persistent ? ['--config'] : []),
];

async function plugIn(
  { virsh, xml, scratch, change }: Attaching,
  vm: string,
  disk: NewVmDisk & { readonly target: string },
  halves: readonly string[],
): Promise<void> {
  await mkdir(scratch, { recursive: true });
  // Not /dev/stdin: a child's stdin is a socket here, and no socket can be opened by its path.
  const file = join(scratch, `attach-${randomUUID()}.xml`);
  try {
    await writeFile(file, xml.disk(disk), { mode: 0o600 });
    await virsh([['attach-device', `--domain=${vm}`, `--file=${file}`, ...halves]], change);
  } finally {
    await rm(file, { force: true });
  }
}
