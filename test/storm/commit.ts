// One turn at the pool and the commits in it, each written down before and after.
import type { NewVolume, Notes, Pool, Volume, Writer } from '../../core/capabilities/storage.ts';
import { replaceNotes } from '../../core/disks/entry.ts';
import { roundUp } from '../../core/units.ts';
import { type Ledger, stateOf } from './ledger.ts';

/** A Writer that writes down what it does. */
export interface Scribe {
  volumes(): Promise<readonly Volume[]>;
  find(name: string): Promise<Volume | undefined>;
  create(volume: NewVolume): Promise<Volume>;
  extend(volume: Volume, size: bigint): Promise<Volume>;
  /** These keys get these values and no others. */
  note(volume: Volume, notes: Notes): Promise<Volume>;
  remove(volume: Volume): Promise<void>;
}

export interface Desk {
  readonly pool: Pool;
  readonly ledger: Ledger;
  /** Allocation unit, bytes. */
  readonly extent: bigint;
}

export async function takeTurn<T>(
  { pool, ledger, extent }: Desk,
  act: string,
  signal: AbortSignal,
  work: (scribe: Scribe) => Promise<T>,
): Promise<T> {
  const done = await pool.change({ signal }, async (writer) => {
    ledger.write(act, { is: 'turn' });
    try {
      return await work(scribeOf(writer, { ledger, act, extent }));
    } finally {
      ledger.write(act, { is: 'leaves' });
    }
  });
  ledger.write(act, { is: 'left' });
  return done;
}

interface Sheet extends Pick<Desk, 'ledger' | 'extent'> {
  readonly act: string;
}

function scribeOf(writer: Writer, { ledger, act, extent }: Sheet): Scribe {
  async function commit<T extends Volume | undefined>(
    disk: string,
    before: Volume | undefined,
    after: Pick<Volume, 'size' | 'notes'> | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    ledger.write(act, { is: 'begins', disk, seen: stateOf(before), means: stateOf(after) });
    try {
      const made = await work();
      ledger.write(act, { is: 'made', disk, got: stateOf(made) });
      return made;
    } catch (error) {
      ledger.write(act, { is: 'failed', disk });
      throw error;
    }
  }

  return {
    volumes: () => writer.volumes(),
    find: (name) => writer.find(name),
    create: (volume) =>
      commit(volume.name, undefined, { size: roundUp(volume.size, extent), notes: volume.notes }, () =>
        writer.create(volume),
      ),
    extend: (volume, size) =>
      commit(volume.name, volume, { ...volume, size: roundUp(size, extent) }, () => writer.extend(volume.name, size)),
    note: (volume, notes) => {
      const all = Object.entries({ ...volume.notes, ...notes }).filter(([, values]) => values.length > 0);
      const after = { ...volume, notes: Object.fromEntries(all) };
      return commit(volume.name, volume, after, () => writer.annotate(volume.name, replaceNotes(volume, notes)));
    },
    remove: async (volume) => {
      await commit(volume.name, volume, undefined, async () => {
        await writer.remove(volume.name);
        return undefined;
      });
    },
  };
}
