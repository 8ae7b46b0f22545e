// The header of a metadata area: 512 bytes that are other bytes after every commit, so that nothing else need be read
// while they stay the same. Layout: label (in one of the first four sectors) → PV header → where the area begins → the
// area's own header → where the text stands that holds the VG's sequence number.
//
// The header has two slots for a text: the first is the committed one, the second is used while a commit is prepared, and
// keeps standing when its lvm dies before the commit. What a VG is at is told by the first alone.

/** One metadata area of one PV. */
export interface Area {
  /** The PV's uuid, as its label has it: 32 characters without hyphens. */
  readonly pv: string;
  /** Bytes from the beginning of the device. */
  readonly start: number;
}

/** A metadata area's header as it stands. */
export interface Header {
  readonly bytes: Buffer;
  /** Undefined while the area holds no VG's metadata. */
  readonly text: Text | undefined;
}

/** The committed text: positions and lengths in bytes, positions from the device's beginning. */
export interface Text {
  readonly start: number;
  readonly length: number;
  /** lvm's checksum of it. */
  readonly checksum: number;
  /** The ring that texts are written into: what doesn't fit before its end goes on at its beginning. */
  readonly ring: { readonly start: number; readonly end: number };
}

/** Finds a PV's first metadata area in the first 4 KiB of its device; undefined when it has none, or is no PV. */
export function parseLabel(block: Buffer): Area | undefined {
  const sector = [0, 1, 2, 3].map((n) => n * SECTOR).find((at) => isLabel(block, at));
  if (sector === undefined) return undefined;
  const pvHeader = sector + block.readUInt32LE(sector + 20);
  const pv = block.toString('latin1', pvHeader, pvHeader + 32);
  // Two lists of (offset, size) follow the uuid and the device's size: data areas, then metadata areas; zeroes end each.
  const data = lengthOfList(block, pvHeader + 40);
  const start = Number(block.readBigUInt64LE(pvHeader + 40 + data));
  return start === 0 ? undefined : { pv, start };
}

/** Reads a metadata area's header from where the area begins; undefined when there is none. */
export function parseHeader(block: Buffer, area: Area): Header | undefined {
  if (block.toString('latin1', 4, 20) !== AREA_MAGIC) return undefined;
  const size = Number(block.readBigUInt64LE(32));
  const offset = Number(block.readBigUInt64LE(FIRST_SLOT));
  const text = {
    start: area.start + offset,
    length: Number(block.readBigUInt64LE(FIRST_SLOT + 8)),
    checksum: block.readUInt32LE(FIRST_SLOT + 16),
    ring: { start: area.start + SECTOR, end: area.start + size },
  };
  return { bytes: Buffer.from(block.subarray(0, SECTOR)), text: offset === 0 ? undefined : text };
}

/** The sequence number that metadata text begins with; undefined when this is not such a text. */
export function parseSequence(text: Buffer): number | undefined {
  const match = /^seqno = (\d+)$/m.exec(text.toString('latin1', 0, SECTOR));
  return match ? Number(match[1]) : undefined;
}

export const SECTOR = 512;

/** lvm2's FMTT_MAGIC. */
const AREA_MAGIC = ' LVM2 x[5A%r0N*>';
/** Where the first slot begins in an area's header: offset, size, checksum. */
const FIRST_SLOT = 40;

function isLabel(block: Buffer, at: number): boolean {
  return (
    block.toString('latin1', at, at + 8) === 'LABELONE' && block.toString('latin1', at + 24, at + 32) === 'LVM2 001'
  );
}

function lengthOfList(block: Buffer, at: number): number {
  let end = at;
  while (block.readBigUInt64LE(end) !== 0n) end += 16;
  return end + 16 - at;
}
