// What disks are kept ahead of their guests with.
import type { Disks, Event, Hypervisor, Log, Storage } from 'sltv';
import type { Policy } from './policy.ts';
import type { Shortages } from './shortage.ts';

export interface Means {
  readonly disks: Disks;
  readonly storages: readonly Storage[];
  readonly hypervisor: Hypervisor;
  readonly policy: Policy;
  /** What serves where the policy can't be followed. */
  readonly standIn: Policy;
  /** False: nothing is armed, and what looks find is all there is. */
  readonly arms: boolean;
  readonly shortages: Shortages;
  readonly log: Log;
  emit<T>(event: Event<T>, what: T): void;
  /** Something has failed that the next look may mend: it shall come soon. */
  again(): void;
  /** Fires when the daemon stops. */
  readonly life: AbortSignal;
  /** Milliseconds, on a clock that only goes forward. */
  readonly now: () => number;
}
