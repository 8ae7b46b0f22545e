// Arms thresholds: all that are wanted of one VM at a time in one call, and no VM waits for another.
import type { Hypervisor } from 'sltv';
import { coalesce } from './coalesce.ts';

/** Arms one threshold, bytes; returns when the hypervisor has it. Errors: the hypervisor's. */
export type Arm = (vm: string, target: string, offset: bigint) => Promise<void>;

export function createArms(hypervisor: Pick<Hypervisor, 'arm'>, life: AbortSignal): Arm {
  const queues = new Map<string, { readonly wanted: Map<string, bigint>; readonly send: () => Promise<void> }>();

  function queueOf(vm: string) {
    const wanted = new Map<string, bigint>();
    const send = coalesce(async () => {
      // Whoever asks in the same turn of the event loop is in the same call.
      await Promise.resolve();
      const thresholds = [...wanted].map(([target, offset]) => ({ target, offset }));
      wanted.clear();
      await hypervisor.arm(vm, thresholds, life);
    });
    return { wanted, send };
  }

  return (vm, target, offset) => {
    const queue = queues.get(vm) ?? queueOf(vm);
    queues.set(vm, queue);
    queue.wanted.set(target, offset);
    return queue.send();
  };
}
