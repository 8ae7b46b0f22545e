// Names of virtio disks in a VM: vda … vdz, vdaa ….

/** The first that is not taken. */
export function firstFree(taken: Iterable<string>): string {
  const all = new Set(taken);
  let index = 0;
  while (all.has(targetAt(index))) index += 1;
  return targetAt(index);
}

function targetAt(index: number): string {
  let letters = '';
  for (let rest = index; rest >= 0; rest = Math.floor(rest / 26) - 1) {
    letters = String.fromCharCode(0x61 + (rest % 26)) + letters;
  }
  return `vd${letters}`;
}
