// Takes a disk out of a VM: from its definition at once, from the running guest when the guest lets go.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Code, fail, isCode } from './errors.ts';
import type { Look } from './look.ts';
import type { Patience, Virsh } from './virsh.ts';

export interface Detaching {
  readonly virsh: Virsh;
  readonly look: Look;
  readonly change: Patience;
  readonly read: Patience;
}

/**
 * Takes the disk out of the definition, and asks the running guest for it. By the device's alias, because
 * `detach-disk --live` waits five seconds for the guest, keeps all other calls about the VM waiting, and says "detached
 * successfully" whether it was or not. Errors: `libvirt/vm-missing`.
 */
export async function askForDisk({ virsh, look, read, change }: Detaching, vm: string, target: string): Promise<void> {
  const { live, persistent } = await look(vm, read);
  if (persistent.some((disk) => disk.target === target)) {
    const forget = ['detach-disk', `--domain=${vm}`, `--target=${target}`, '--config'];
    await virsh([forget], change).catch(unless('device-missing'));
  }
  const device = live.find((disk) => disk.target === target);
  if (device?.alias === undefined) return;
  const ask = ['detach-device-alias', `--domain=${vm}`, `--alias=${device.alias}`, '--live'];
  // Asked before, or gone, or off, since we looked: what it has is seen next.
  await virsh([ask], change).catch(unless('device-missing', 'device-leaving', 'vm-off'));
}

function unless(...codes: readonly Code[]) {
  return (error: unknown) => {
    if (!isCode(error, ...codes)) throw error;
  };
}

/** Looks until the VM has nothing at the target, for `patience` milliseconds. */
export async function awaitRelease(
  { look, read }: Detaching,
  vm: string,
  target: string,
  patience: number,
): Promise<'gone' | 'pending'> {
  const end = performance.now() + patience;
  for (let pause = 100; ; pause = Math.min(2 * pause, 1_000)) {
    if (await isGone(look, vm, target, read)) return 'gone';
    const left = end - performance.now();
    if (left <= 0) return 'pending';
    await sleep(Math.min(pause, left), undefined, { signal: read.signal });
  }
}

async function isGone(look: Look, vm: string, target: string, read: Patience): Promise<boolean> {
  try {
    const { name, live, persistent } = await look(vm, read);
    if (persistent.some((disk) => disk.target === target)) {
      throw fail('failed', `libvirt said that the definition of ${name} has no ${target} any more, and it has`);
    }
    return !live.some((disk) => disk.target === target);
  } catch (error) {
    // A VM that is not there has no devices: a transient one ends so.
    if (isCode(error, 'vm-missing')) return true;
    throw error;
  }
}
