// What a Storage promises: core/capabilities/storage.ts, as facts.
import type { Pool, Storage, Volume } from '../capabilities/storage.ts';
import { type Case, casesOf, type Subject } from './case.ts';
import { activationChecks } from './storage/activation.ts';
import { noteChecks } from './storage/notes.ts';
import { commitChecks, foreignChecks, openChecks, reopenChecks } from './storage/optional.ts';
import { turnChecks } from './storage/turns.ts';
import { volumeChecks } from './storage/volumes.ts';

export interface StorageUnderTest extends AsyncDisposable {
  readonly storage: Storage;
  /** One of its pools: writable, empty, and all its free space (some hundred extents at least) the suite's to take. */
  readonly pool: Pool;
}

/** Beside the factory, what else the suite can find out where you can help it; what isn't given isn't tested. */
export interface StorageSubject<T extends StorageUnderTest> extends Subject<T> {
  /**
   * `switched`: a path is there between activation and deactivation. `always`: as long as the volume is.
   * `none`: not on this machine, so that paths aren't looked at.
   */
  readonly activation: 'switched' | 'always' | 'none';
  /** A word that changes with every commit to the pool, such as a VG's sequence number. */
  revision?(made: T): Promise<string>;
  /** The same pool as another process sees it, or this one after a restart. */
  reopen?(made: T): Promise<Pool>;
  /** Makes a volume in the pool by hand, knowing nothing of notes. */
  makeForeign?(made: T, name: string): Promise<void>;
  /** Has an active volume's path open, as QEMU would, until disposed of. */
  hold?(made: T, volume: Volume): Promise<AsyncDisposable>;
}

/** The cases that any provider of Storage must pass. */
export function storageConformance<T extends StorageUnderTest>(subject: StorageSubject<T>): readonly Case[] {
  const { activation, revision, reopen, makeForeign, hold } = subject;
  return casesOf<T>(subject, {
    ...volumeChecks,
    ...noteChecks,
    ...turnChecks,
    ...(activation === 'none' ? {} : activationChecks(activation)),
    ...(revision ? commitChecks(revision) : {}),
    ...(reopen ? reopenChecks(reopen) : {}),
    ...(makeForeign ? foreignChecks(makeForeign) : {}),
    ...(hold ? openChecks(hold, activation) : {}),
  });
}
