// What lvm reports, asked for as narrowly as it can be and checked at the door.
import type { Notes, Volume } from 'sltv';
import { v } from 'sltv';
import type { Devices, Lvm } from './commands.ts';
import { explain, lvmErrors } from './errors.ts';
import { otherPathsOf, pathOf } from './names.ts';
import { notesOf } from './tags.ts';

/** An LV: the volume, and all its tags as they are written. */
export interface TaggedVolume {
  readonly volume: Volume;
  readonly tags: readonly string[];
}

/** A VG as of one commit. */
export interface VolumeGroup {
  readonly name: string;
  readonly uuid: string;
  readonly sequence: number;
  readonly notes: Notes;
  /** All its tags, as they are written. */
  readonly tags: readonly string[];
  /** Empty when it has none. */
  readonly systemId: string;
  readonly size: bigint;
  readonly free: bigint;
  readonly extent: bigint;
  /** Bytes: the half of the smallest metadata area that one commit may fill, and what is left of it. */
  readonly metadata: { readonly size: bigint; readonly free: bigint };
  /** Paths of the PVs that are there, and of those among them that hold the VG's metadata. */
  readonly devices: readonly string[];
  readonly metadataDevices: readonly string[];
  readonly devicesMissing: number;
  readonly writable: boolean;
  readonly autoActivated: boolean;
  /** By name, in its order. */
  readonly volumes: ReadonlyMap<string, TaggedVolume>;
}

/** What a look at all VGs tells of one. */
export interface Sighting {
  readonly name: string;
  readonly uuid: string;
  readonly notes: Notes;
  readonly devices: readonly string[];
  readonly metadataDevices: readonly string[];
}

/** Reports one VG with all its volumes, in one command. Errors: `lvm/vg-missing` and what else `explain` knows. */
export async function reportGroup(lvm: Lvm, vg: string, devices: Devices, signal: AbortSignal): Promise<VolumeGroup> {
  const done = await lvm.report(['fullreport', ...FORMAT, ...SECTIONS, vg], devices, signal);
  const report = parse(GroupReport, done.report)?.report[0];
  const group = report?.vg[0];
  if (!report || !group) throw explain('fullreport', done, { vg });
  const present = report.pv.filter((pv) => pv.pv_missing === '');
  return {
    name: group.vg_name,
    uuid: group.vg_uuid,
    sequence: Number(group.vg_seqno),
    notes: notesOf(group.vg_tags),
    tags: group.vg_tags,
    systemId: group.vg_systemid,
    size: group.vg_size,
    free: group.vg_free,
    extent: group.vg_extent_size,
    metadata: { size: group.vg_mda_size / 2n, free: group.vg_mda_free },
    devices: present.map((pv) => pv.pv_name),
    metadataDevices: present.filter((pv) => pv.pv_mda_used_count > 0n).map((pv) => pv.pv_name),
    devicesMissing: Number(group.vg_missing_pv_count),
    writable: group.vg_permissions === 'writeable' && group.vg_exported === '',
    autoActivated: group.vg_autoactivation === 'enabled',
    volumes: new Map(
      report.lv
        .toSorted((a, b) => (a.lv_name < b.lv_name ? -1 : 1))
        .map((row) => [row.lv_name, { volume: volumeOf(vg, row), tags: row.lv_tags }]),
    ),
  };
}

/** Finds all VGs of this host, in one command. */
export async function reportSightings(lvm: Lvm, signal: AbortSignal): Promise<Sighting[]> {
  const done = await lvm.report(['vgs', ...FORMAT, '-o', SIGHTING_FIELDS], undefined, signal);
  const report = parse(SightingReport, done.report)?.report[0];
  if (!report) throw explain('vgs', done, { vg: '' });
  const groups = Map.groupBy(report.vg, (row) => row.vg_uuid);
  return [...groups.values()].flatMap((rows) => {
    const present = rows.filter((row) => row.pv_missing === '');
    return rows.slice(0, 1).map((row) => ({
      name: row.vg_name,
      uuid: row.vg_uuid,
      notes: notesOf(row.vg_tags),
      devices: present.map((pv) => pv.pv_name),
      metadataDevices: present.filter((pv) => pv.pv_mda_used_count > 0n).map((pv) => pv.pv_name),
    }));
  });
}

/** What a volume is to LVM, for who takes it as it is. */
export interface Kind {
  /** `linear`, `striped`, `thin,sparse`, `raid,raid1`, … */
  readonly layout: string;
  /** `public`, or what else it is: `public,origin,thickorigin`, `private,thin,pool`, … */
  readonly role: string;
  readonly isWritable: boolean;
}

/** Reports what one volume is. Errors: as reportGroup, and `lvm/volume-missing`. */
export async function reportKind(
  lvm: Lvm,
  { name: vg, devices }: Pick<VolumeGroup, 'name' | 'devices'>,
  volume: string,
  signal: AbortSignal,
): Promise<Kind> {
  const done = await lvm.report(['lvs', ...FORMAT, '-o', fields(LvKind), `${vg}/${volume}`], devices, signal);
  const row = parse(KindReport, done.report)?.report[0]?.lv[0];
  if (!row) throw explain('lvs', done, { vg, volume });
  return { layout: row.lv_layout, role: row.lv_role, isWritable: row.lv_attr[1] !== 'r' };
}

/** VGs that stock commands of this host refuse are seen all the same, so that it can be said why they can't be used. */
const FORMAT = ['--foreign', '--reportformat', 'json', '--units', 'b', '--nosuffix'];

const Bytes = v.pipe(
  v.string(),
  v.digits(),
  v.transform((text) => BigInt(text)),
);
const Tags = v.pipe(
  v.string(),
  v.transform((text) => text.split(',').filter((tag) => tag !== '')),
);

const Pv = { pv_name: v.string(), pv_mda_used_count: Bytes, pv_missing: v.string() };
const Vg = {
  vg_name: v.string(),
  vg_uuid: v.string(),
  vg_seqno: v.pipe(v.string(), v.digits()),
  vg_tags: Tags,
  vg_systemid: v.string(),
  vg_size: Bytes,
  vg_free: Bytes,
  vg_extent_size: Bytes,
  vg_mda_size: Bytes,
  vg_mda_free: Bytes,
  vg_missing_pv_count: Bytes,
  vg_permissions: v.string(),
  vg_exported: v.string(),
  vg_autoactivation: v.string(),
};
const Lv = { lv_name: v.string(), lv_size: Bytes, lv_tags: Tags, lv_time: v.string(), lv_host: v.string() };
type LvRow = v.InferOutput<v.ObjectSchema<typeof Lv, undefined>>;

const GroupReport = v.object({
  report: v.array(v.object({ vg: v.array(v.object(Vg)), pv: v.array(v.object(Pv)), lv: v.array(v.object(Lv)) })),
});
const Seen = { vg_name: Vg.vg_name, vg_uuid: Vg.vg_uuid, vg_tags: Tags, ...Pv };
const SightingReport = v.object({ report: v.array(v.object({ vg: v.array(v.object(Seen)) })) });

const LvKind = { lv_layout: v.string(), lv_role: v.string(), lv_attr: v.string() };
const KindReport = v.object({ report: v.array(v.object({ lv: v.array(v.object(LvKind)) })) });

const fields = (row: object): string => Object.keys(row).join(',');
const SIGHTING_FIELDS = fields(Seen);

/** A full report has five sections. The last two can't be left out, but a selection that nothing meets empties them. */
const SECTIONS = [
  ...['--configreport', 'vg', '-o', fields(Vg)],
  ...['--configreport', 'pv', '-o', fields(Pv)],
  ...['--configreport', 'lv', '-o', fields(Lv)],
  ...['--configreport', 'pvseg', '-o', 'pvseg_start', '-S', 'pvseg_start=-1'],
  ...['--configreport', 'seg', '-o', 'seg_type', '-S', 'seg_type=none'],
];

function parse<S extends v.GenericSchema>(schema: S, text: string): v.InferOutput<S> | undefined {
  if (text.trim() === '') return undefined;
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (cause) {
    throw lvmErrors('failed', 'lvm reported something that is not a report', { cause });
  }
}

function volumeOf(vg: string, row: LvRow): Volume {
  const seconds = Number(row.lv_time);
  return {
    pool: vg,
    name: row.lv_name,
    size: row.lv_size,
    path: pathOf(vg, row.lv_name),
    alsoAt: otherPathsOf(vg, row.lv_name),
    notes: notesOf(row.lv_tags),
    createdAt: seconds > 0 ? new Date(seconds * 1000) : undefined,
    createdOn: row.lv_host || undefined,
  };
}
