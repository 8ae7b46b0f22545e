// Steps that most cases take.
import type { NewVolume, Pool, Volume, Writer } from '../../capabilities/storage.ts';
import { never } from '../case.ts';

/** A turn like any other. */
export const change = <T>(pool: Pool, work: (writer: Writer) => Promise<T>): Promise<T> =>
  pool.change({ signal: never }, work);

/** Makes a volume in a turn of its own. */
export const create = (pool: Pool, volume: NewVolume): Promise<Volume> =>
  change(pool, (writer) => writer.create(volume));

/** All volumes, read without a turn. */
export const list = (pool: Pool): Promise<readonly Volume[]> => pool.volumes(never);

/** One extent, raw, inactive, with a note, unless told otherwise. */
export const newVolume = (name: string, different: Partial<NewVolume> = {}): NewVolume => ({
  name,
  size: 1n,
  notes: { v: ['1'] },
  format: 'raw',
  active: false,
  ...different,
});
