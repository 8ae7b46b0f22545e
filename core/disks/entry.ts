// What the notes of a volume say about the disk that it is: format 1 of docs/on-disk-format.md, read and written here only.
import type { Place } from '../capabilities/cluster.ts';
import type { Disk, DiskState, Mode } from '../capabilities/disks.ts';
import type { Format, Notes, Volume } from '../capabilities/storage.ts';
import type { Node } from '../node.ts';
import { larger } from '../units.ts';

/** Whom a disk is reserved for. The name is for people; `target` is empty until the hypervisor has chosen one. */
export interface Owner {
  readonly vm: string;
  readonly target: string;
  readonly vmName: string;
}

export type Operation = 'create' | 'adopt' | 'attach' | 'detach' | 'resize' | 'move' | 'delete' | 'wipe';

/** An operation of more than one commit that has begun and not ended. */
export interface Intent extends Place {
  readonly operation: Operation;
  readonly id: string;
  /** What the operation needs to be finished by somebody else: the new size of a resize. */
  readonly detail: string;
}

/** A volume that is a disk of ours. */
export interface Entry {
  readonly volume: Volume;
  readonly id: string;
  readonly format: Format;
  /** What the guest sees, bytes. */
  readonly virtualSize: bigint;
  readonly owner: Owner | undefined;
  readonly readOnly: boolean;
  readonly on: readonly Place[];
  readonly intent: Intent | undefined;
  readonly attachedAt: Date | undefined;
  readonly extendedAt: Date | undefined;
  /** How far an image is known to be written, bytes; undefined for a raw disk, too. */
  readonly end: bigint | undefined;
  /** What plugins keep with the disk, by key. */
  readonly settings: Readonly<Record<string, string>>;
  /** The format's version is one that this executable doesn't know: listed, never written. */
  readonly isNewer: boolean;
}

/** Reads a volume's notes; undefined for one that somebody else made. */
export function readEntry(volume: Volume): Entry | undefined {
  const one = (key: string) => volume.notes[key]?.[0];
  const version = one('v');
  const id = one('disk');
  if (version === undefined || id === undefined) return undefined;
  const format = one('fmt') === 'qcow2' ? 'qcow2' : 'raw';
  return {
    volume,
    id,
    format,
    // A raw disk is its volume: the note would only be a second truth.
    virtualSize: format === 'raw' ? volume.size : BigInt(one('vsize') ?? '0'),
    owner: readOwner(one('own')),
    readOnly: one('ro') !== undefined,
    on: (volume.notes.on ?? []).map(readPlace),
    intent: readIntent(one('op')),
    attachedAt: readTime(one('at')),
    extendedAt: readTime(one('extended')),
    end: format === 'qcow2' ? readBytes(volume.notes.end) : undefined,
    settings: readSettings(volume.notes),
    isNewer: version !== String(FORMAT),
  };
}

/** The version of what stands on storage. */
export const FORMAT = 1;

/** The notes of a new disk. */
export function newNotes(
  disk: { id: string; format: Format; virtualSize: bigint },
  place: Place,
  intent?: Intent,
): Notes {
  return {
    v: [String(FORMAT)],
    disk: [disk.id],
    layer: ['0'],
    fmt: [disk.format],
    vsize: [String(disk.virtualSize)],
    on: [placeNote(place)],
    ...(intent ? { op: [intentNote(intent)] } : {}),
  };
}

export const placeNote = (place: Place): string => `${place.node}/${place.boot}`;
export function readPlace(note: string): Place {
  const [node = '', boot = ''] = note.split('/');
  return { node, boot };
}
export const ownerNote = (owner: Owner): string => `${owner.vm}/${owner.target}/${owner.vmName}`;
export const timeNote = (time: Date): string => String(Math.floor(time.getTime() / 1000));
export function intentNote(intent: Intent): string {
  const words = [intent.operation, intent.node, intent.boot, intent.id];
  return (intent.detail === '' ? words : [...words, intent.detail]).join('/');
}

/** Notes with later ones put over them. How far an image is written never goes back. */
export function withLater(notes: Notes, later: Notes): Notes {
  const end = readBytes([...(notes.end ?? []), ...(later.end ?? [])]);
  return { ...notes, ...later, ...(end === undefined ? {} : { end: [String(end)] }) };
}

/** Whether a note is a plugin's: `<word>.<word>`. */
export const isSetting = (key: string): boolean => key.includes('.') && /^[a-z0-9-]+\.[a-z0-9-]+$/.test(key);

/** This node in this life. */
export const here = (node: Node): Place => ({ node: node.id, boot: node.bootId });

/** The change of notes after which these keys have these values and no others; an empty list takes the key away. */
export function replaceNotes(volume: Volume, wanted: Notes): { add: Notes; drop: Notes } {
  const add: Record<string, readonly string[]> = {};
  const drop: Record<string, readonly string[]> = {};
  for (const [key, values] of Object.entries(wanted)) {
    const present = volume.notes[key] ?? [];
    const missing = values.filter((value) => !present.includes(value));
    const surplus = present.filter((value) => !values.includes(value));
    if (missing.length > 0) add[key] = missing;
    if (surplus.length > 0) drop[key] = surplus;
  }
  return { add, drop };
}

const STATE_OF: Readonly<Record<Operation, DiskState>> = {
  create: 'creating',
  adopt: 'adopting',
  attach: 'attaching',
  detach: 'detaching',
  resize: 'resizing',
  move: 'moving',
  delete: 'deleting',
  wipe: 'wiping',
};

/** The state that the notes alone tell; `conflict` needs the hypervisor's word too (see show.ts). */
export function stateOf(entry: Entry): DiskState {
  if (entry.intent) return STATE_OF[entry.intent.operation];
  return entry.owner ? 'owned' : 'ready';
}

export const modeOf = (format: Format): Mode => (format === 'qcow2' ? 'thin' : 'thick');

/** The disk as callers see it. */
export function toDisk(entry: Entry, state: DiskState = stateOf(entry)): Disk {
  const { volume, owner } = entry;
  return {
    id: entry.id,
    name: volume.name,
    pool: volume.pool,
    mode: modeOf(entry.format),
    size: volume.size,
    virtualSize: entry.virtualSize,
    path: volume.path,
    alsoAt: volume.alsoAt,
    state,
    createdOn: volume.createdOn,
    createdAt: volume.createdAt,
    lastExtendedAt: entry.extendedAt,
    end: entry.end,
    settings: entry.settings,
    owner: owner && { ...owner, readOnly: entry.readOnly },
  };
}

/** `pool/name`: how a disk is called in sentences, and unambiguous in commands. */
export const nameOf = (entry: Entry): string => `${entry.volume.pool}/${entry.volume.name}`;

function readOwner(note: string | undefined): Owner | undefined {
  if (note === undefined) return undefined;
  const [vm = '', target = '', ...name] = note.split('/');
  return { vm, target, vmName: name.join('/') };
}

function readIntent(note: string | undefined): Intent | undefined {
  if (note === undefined) return undefined;
  const [operation = '', node = '', boot = '', id = '', ...detail] = note.split('/');
  // An operation of a later version is one that we must not touch either: it reads as a move, which nobody but its own side ends.
  return { operation: isOperation(operation) ? operation : 'move', node, boot, id, detail: detail.join('/') };
}

const isOperation = (word: string): word is Operation => word in STATE_OF;

/** The largest of them: a lower bound stays one, whoever wrote a smaller beside it. What is no number counts as none. */
function readBytes(notes: readonly string[] = []): bigint | undefined {
  const all = notes.filter((note) => /^\d+$/.test(note)).map(BigInt);
  return all.length === 0 ? undefined : all.reduce(larger);
}

function readSettings(notes: Notes): Readonly<Record<string, string>> {
  const settings: Record<string, string> = {};
  for (const key in notes) {
    const value = notes[key]?.[0];
    if (value !== undefined && isSetting(key)) settings[key] = value;
  }
  return settings;
}

function readTime(note: string | undefined): Date | undefined {
  return note === undefined ? undefined : new Date(Number(note) * 1000);
}
