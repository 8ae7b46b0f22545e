// Names of virtio disks in a VM: vda … vdz, vdaa ….

/** The first that is not taken. */
export function firstFree(taken: Iterable<string>): string {
  const all = new Set(taken);
  let index = 0;
  while (all.has(targetAt(index))) index += 1;
  return targetAt(index);
}

/** What libvirt takes for a disk's name; other words it would refuse, or read as a place on another bus. */
export function objectsToTarget(target: string): string | undefined {
  if (/^(vd|sd|hd|xvd)[a-z]{1,3}$/.test(target)) return undefined;
  const meant = target.replace(/^\/dev\//, '');
  return `it is a word such as ${meant !== target && objectsToTarget(meant) === undefined ? meant : 'vdb'}`;
}

function targetAt(index: number): string {
  let letters = '';
  for (let rest = index; rest >= 0; rest = Math.floor(rest / 26) - 1) {
    letters = String.fromCharCode(0x61 + (rest % 26)) + letters;
  }
  return `vd${letters}`;
}
