// Names of virtio disks in a VM: vda … vdz, vdaa ….

/** The first that is not taken. */
export function firstFree(taken: Iterable<string>): string {
  const all = new Set(taken);
  let index = 0;
  while (all.has(targetAt(index))) index += 1;
  return targetAt(index);
}

/**
 * Our disks are virtio's. libvirt would take `sdb` for one, too, and call the device as it calls `vdb`'s: whichever comes
 * second is refused by QEMU.
 */
export function objectsToTarget(target: string): string | undefined {
  if (/^vd[a-z]{1,3}$/.test(target)) return undefined;
  const [, meant = 'vdb'] = /^\/dev\/(vd[a-z]{1,3})$/.exec(target) ?? [];
  return `it is a word such as ${meant}`;
}

/** Where a virtio disk is, by what libvirt calls the device; undefined for other devices. One named `sdb` counts as `vdb`. */
export function targetCalled(alias: string): string | undefined {
  const [, index] = /^virtio-disk(\d{1,5})$/.exec(alias) ?? [];
  return index === undefined ? undefined : targetAt(Number(index));
}

function targetAt(index: number): string {
  let letters = '';
  for (let rest = index; rest >= 0; rest = Math.floor(rest / 26) - 1) {
    letters = String.fromCharCode(0x61 + (rest % 26)) + letters;
  }
  return `vd${letters}`;
}
