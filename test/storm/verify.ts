// After each round, when nobody writes: lvm's own check, the VG's identity, every disk as it was acknowledged, nothing
// half-made, no disk with two owners, no extent with two disks, and the data where it was.
import { type FileHandle, open } from 'node:fs/promises';
import { array, digits, object, parse, pipe, string } from 'valibot';
import { judge, readMark } from '../../plugins/lvm/handover.ts';
import { createIdentityReader } from '../../plugins/lvm/identity.ts';
import { notesOf } from '../../plugins/lvm/tags.ts';
import type { Ground } from './ground.ts';
import { type State, stateOf } from './ledger.ts';
import type { Witness } from './talk.ts';

export interface Disk {
  readonly name: string;
  readonly size: bigint;
  readonly notes: Readonly<Record<string, readonly string[]>>;
  /** Its extents in their order, by their number on the device. */
  readonly extents: readonly number[];
}

/** Every disk that lvm tells of, by name. Throws when lvm can't. */
export async function readDisks({ lvm, vg }: Ground): Promise<ReadonlyMap<string, Disk>> {
  const fields = 'lv_name,lv_size,lv_tags,seg_start_pe,seg_pe_ranges';
  const format = ['--reportformat', 'json', '--units', 'b', '--nosuffix', '--segments', '-o', fields];
  const report = parse(Report, JSON.parse(await lvm('lvs', ...format, vg))).report[0];
  const disks = Map.groupBy(report?.seg ?? [], ({ lv_name }) => lv_name);
  return new Map(
    [...disks].map(([name, segments]) => {
      const [{ lv_size: size = '0', lv_tags: tags = '' } = {}] = segments;
      const inOrder = segments.toSorted((a, b) => Number(a.seg_start_pe) - Number(b.seg_start_pe));
      const extents = inOrder.flatMap(({ seg_pe_ranges }) => rangesOf(seg_pe_ranges));
      return [name, { name, size: BigInt(size), notes: notesOf(tags.split(',').filter(Boolean)), extents }];
    }),
  );
}

export const statesOf = (disks: ReadonlyMap<string, Disk>): ReadonlyMap<string, State> =>
  new Map([...disks].map(([name, disk]) => [name, stateOf(disk)]));

/** lvm's own opinion of its metadata, in a sentence when it isn't good. */
export async function checkMetadata({ lvm, vg }: Ground): Promise<string[]> {
  try {
    const said = await lvm('vgck', vg);
    return said.trim() === '' ? [] : [`vgck: ${said.trim()}`];
  } catch (error) {
    return [`vgck: ${error instanceof Error ? error.message : error}`];
  }
}

/** Whether the VG is at the commit that the last holder of its lock left. */
export async function checkIdentity({ device }: Ground, { mark, isOrderly }: Witness): Promise<string[]> {
  const now = await createIdentityReader()([device]);
  const left = mark === undefined ? undefined : readMark(mark);
  if (!now) return ['the identity of the VG can’t be read'];
  if (!left || !isOrderly) return [`no mark is left of the VG: '${mark}'`];
  const verdict = judge(left, now, true);
  return verdict === 'same' ? [] : [`${verdict}: left '${mark}', there is ${now.sequence} ${now.content}`];
}

/** What no disk may be when all has come to rest. */
export function checkDisks(disks: ReadonlyMap<string, Disk>): string[] {
  const problems = [...disks.values()].flatMap(({ name, notes }) => [
    ...(notes.op ? [`${name} is half-made: ${notes.op}`] : []),
    ...((notes.own?.length ?? 0) > 1 ? [`${name} has two owners: ${notes.own}`] : []),
    ...((notes.on?.length ?? 0) > 1 ? [`${name} may be active on two nodes: ${notes.on}`] : []),
    ...(notes.disk?.length === 1 ? [] : [`${name} has no id of its own: ${notes.disk}`]),
  ]);
  const all = [...disks.values()].flatMap(({ name, extents }) => extents.map((extent) => ({ name, extent })));
  const shared = [...Map.groupBy(all, ({ extent }) => extent)].filter(([, users]) => users.length > 1);
  return [
    ...problems,
    ...shared.map(([at, users]) => `extent ${at} is of ${users.map(({ name }) => name).join(' and ')}`),
  ];
}

/** The guests' part: each disk's data says whose it is. */
export interface Contents {
  /** Reads what was written the last time, writes what is new. */
  check(disks: ReadonlyMap<string, Disk>): Promise<string[]>;
}

export async function createContents({ device, lvm, vg }: Ground): Promise<Contents> {
  const place = await lvm('pvs', '--noheadings', '--units', 'b', '--nosuffix', '-o', 'pe_start,vg_extent_size', device);
  const [start = 0, extent = 0] = place.trim().split(/\s+/).map(Number);
  /** By id, how many of a disk's extents are written. */
  const written = new Map<string, number>();
  return {
    async check(disks) {
      await using file = await open(device, 'r+');
      const problems: string[] = [];
      for (const { name, notes, extents } of disks.values()) {
        const id = notes.disk?.[0] ?? '';
        const known = written.get(id) ?? 0;
        for (const [index, at] of extents.entries()) {
          const data = `${vg} ${id} ${index}`.padEnd(DATA);
          const position = start + at * extent;
          if (index >= known) await file.write(data, position);
          else if ((await dataAt(file, position)) !== data)
            problems.push(`${name} has lost its data in extent ${index}`);
        }
        written.set(id, extents.length);
      }
      return problems;
    },
  };
}

/** Bytes. */
const DATA = 512;

async function dataAt(file: FileHandle, position: number): Promise<string> {
  const { buffer } = await file.read(Buffer.alloc(DATA), 0, DATA, position);
  return buffer.toString();
}

const Number_ = pipe(string(), digits());
const Row = object({
  lv_name: string(),
  lv_size: Number_,
  lv_tags: string(),
  seg_start_pe: Number_,
  seg_pe_ranges: string(),
});
const Report = object({ report: array(object({ seg: array(Row) })) });

/** `/dev/loop3:4-6 /dev/loop3:9-9` */
function rangesOf(text: string): number[] {
  return text.split(/\s+/).flatMap((range) => {
    const [from = 0, to = 0] = range
      .slice(range.lastIndexOf(':') + 1)
      .split('-')
      .map(Number);
    return Array.from({ length: to - from + 1 }, (_, n) => from + n);
  });
}
