// What a storm and its hosts say to each other.
import type { Place } from '../../core/capabilities/cluster.ts';

export interface Asked {
  readonly id: number;
  readonly ask: 'work' | 'rest' | 'recover disks' | 'recover cluster' | 'declare over' | 'trouble' | 'witness';
  readonly place?: Place | undefined;
}

/** `id` 0: it is up. */
export type Told =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } };

/** What the lock on the pool tells its next holder. */
export interface Witness {
  readonly mark: string | undefined;
  readonly isOrderly: boolean;
}
