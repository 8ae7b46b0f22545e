// Which commit a VG's metadata is at, read straight from its devices: under a millisecond, where a report takes fifty.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { parseHeader, parseLabel, parseSequence, SECTOR, type Text } from './header.ts';

export interface Identity {
  /** Two identities with the same mark are of the same commit, read from the same devices. */
  readonly mark: string;
  /** The VG's sequence number: every commit adds one. */
  readonly sequence: number;
  /**
   * Length and checksum of the committed text: other hosts read the same, from whichever of the VG's devices. Several where
   * areas differ that are at the same number.
   */
  readonly content: string;
  /** How the committed texts end, where it was asked for: they tell there which command wrote them. */
  readonly endings: readonly string[];
}

/**
 * Reads what stands in the metadata areas of these devices; undefined when one of them can't be read. All of them,
 * because a commit that has room in some areas only leaves the others as they were.
 */
export type ReadIdentity = (devices: readonly string[]) => Promise<Identity | undefined>;

/** A reader for the devices of one VG. It reads one thing at a time, since all reads share one buffer. */
export function createIdentityReader({ withEndings = false } = {}): ReadIdentity {
  const memory = new AlignedMemory();
  let known: readonly Identity[] = [];
  let last: Promise<unknown> = Promise.resolve();

  async function identityOf(devices: readonly string[]): Promise<Identity | undefined> {
    const found: Identity[] = [];
    for (const device of devices) {
      const identity = await identityOn(device, { memory, known, withEndings });
      if (!identity) return undefined;
      found.push(identity);
    }
    known = found;
    if (found.length === 0) return undefined;
    const sequence = Math.max(...found.map((identity) => identity.sequence));
    // A commit that only some areas had room for leaves the others behind.
    const latest = found.filter((identity) => identity.sequence === sequence);
    return {
      mark: found.map(({ mark }) => mark).join('\n'),
      sequence,
      content: [...new Set(latest.map(({ content }) => content))].toSorted().join(','),
      endings: latest.flatMap(({ endings }) => endings),
    };
  }

  return (devices) => {
    const turn = last.then(() => identityOf(devices)).catch(() => undefined);
    last = turn;
    return turn;
  };
}

interface Reading {
  readonly memory: AlignedMemory;
  readonly known: readonly Identity[];
  readonly withEndings: boolean;
}

/** What one device's first metadata area tells. */
async function identityOn(device: string, reading: Reading): Promise<Identity | undefined> {
  const file = await openDirect(device);
  try {
    return await identityIn(file, reading);
  } finally {
    // It takes as long as the read, and nobody needs to wait for it.
    file.close().catch(() => {});
  }
}

/** One read while it is as it was in `known`. */
async function identityIn(file: FileHandle, { memory, known, withEndings }: Reading): Promise<Identity | undefined> {
  const beginning = await memory.read(file, 0);
  const label = parseLabel(beginning);
  if (!label) return undefined;
  // LVM begins the area behind the label's page, so that its header is there already.
  const isRead = label.start + SECTOR <= beginning.length;
  const block = isRead ? beginning.subarray(label.start) : await readAt(file, label.start, memory);
  const header = parseHeader(block, label);
  if (header?.text === undefined) return undefined;
  const mark = `${label.pv} ${header.bytes.toString('base64')}`;
  // The header has the text's checksum and place.
  const before = known.find((identity) => identity.mark === mark);
  if (before) return before;
  const sequence = parseSequence(await readAt(file, header.text.start, memory));
  if (sequence === undefined) return undefined;
  const content = `${header.text.length}:${header.text.checksum}`;
  const endings = withEndings ? [await readEnding(file, header.text, memory)] : [];
  return { mark, sequence, content, endings };
}

/** The last page of a text, or all of a shorter one. */
async function readEnding(file: FileHandle, { start, length, ring }: Text, memory: AlignedMemory): Promise<string> {
  const wanted = Math.min(length, PAGE);
  const unwrapped = start + length - wanted;
  const from = unwrapped < ring.end ? unwrapped : unwrapped - (ring.end - ring.start);
  const first = (await readAt(file, from, memory)).subarray(0, Math.min(wanted, ring.end - from));
  const rest = wanted - first.length;
  const second = rest === 0 ? '' : (await readAt(file, ring.start, memory)).toString('latin1', 0, rest);
  return first.toString('latin1') + second;
}

/** Past the page cache, which does not see what other hosts write; through it where the device can't do better. */
async function openDirect(device: string): Promise<FileHandle> {
  try {
    return await open(device, constants.O_RDONLY | constants.O_DIRECT);
  } catch (error) {
    if (!isInvalid(error)) throw error;
    return open(device, constants.O_RDONLY);
  }
}

async function readAt(file: FileHandle, position: number, memory: AlignedMemory): Promise<Buffer> {
  const page = position - (position % PAGE);
  return (await memory.read(file, page)).subarray(position - page);
}

/** What a direct read's address, position and length must be multiples of, at most. */
const PAGE = 4096;

/** Memory that the kernel takes for direct reads. JavaScript can't ask where an array lies, so it is tried out. */
class AlignedMemory {
  readonly #bytes = Buffer.alloc(3 * PAGE);
  #offset = 0;

  /** Two pages from `position` on, a multiple of the page size. */
  async read(file: FileHandle, position: number): Promise<Buffer> {
    for (let tried = 0; tried < PAGE; tried += STEP) {
      try {
        const { bytesRead } = await file.read(this.#bytes, this.#offset, 2 * PAGE, position);
        return Buffer.from(this.#bytes.subarray(this.#offset, this.#offset + bytesRead));
      } catch (error) {
        if (!isInvalid(error)) throw error;
        this.#offset = (this.#offset + STEP) % PAGE;
      }
    }
    throw new Error('no offset suits a direct read of this device');
  }
}

/** Where memory is allocated is a multiple of at least this. */
const STEP = 8;

function isInvalid(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EINVAL';
}
