// Whether somebody who waits for a lock has been given it.
import type { Lease, Locks } from '../../capabilities/locks.ts';
import { never } from '../case.ts';

/** Watches a lease that is waited for. */
export function follow(lease: Promise<Lease>): { readonly lease: Promise<Lease>; isThere(): boolean } {
  let isThere = false;
  const followed = lease.then((given) => {
    isThere = true;
    return given;
  });
  return { lease: followed, isThere: () => isThere };
}

/** Gives the provider time to answer whoever it would: it has served three others, under another name, meanwhile. */
export async function settle(locks: Locks): Promise<void> {
  for (let round = 0; round < 3; round += 1) await (await locks.acquire('settle', never))[Symbol.asyncDispose]();
}
