// Arms thresholds: all that are wanted of one VM at a time in one call, and no VM waits for another.
import type { Hypervisor } from 'sltv';

/** Arms one threshold, bytes; returns when the hypervisor has it. Errors: the hypervisor's. */
export type Arm = (vm: string, target: string, offset: bigint) => Promise<void>;

export function createArms(hypervisor: Pick<Hypervisor, 'arm'>, life: AbortSignal): Arm {
  const lines = new Map<string, Line>();

  /** Whoever asks before it begins is in it. */
  function begin(vm: string, line: Line): Promise<void> {
    const batch = line.last.then(() => {
      const thresholds = [...line.wanted].map(([target, offset]) => ({ target, offset }));
      line.wanted.clear();
      line.next = undefined;
      return hypervisor.arm(vm, thresholds, life);
    });
    line.last = batch.catch(() => {});
    return batch;
  }

  return (vm, target, offset) => {
    const line = lines.get(vm) ?? { wanted: new Map(), next: undefined, last: Promise.resolve() };
    lines.set(vm, line);
    line.wanted.set(target, offset);
    line.next ??= begin(vm, line);
    return line.next;
  };
}

/** What is wanted of one VM and not yet asked for, the call that will ask, and the last one. */
interface Line {
  readonly wanted: Map<string, bigint>;
  next: Promise<void> | undefined;
  last: Promise<void>;
}
