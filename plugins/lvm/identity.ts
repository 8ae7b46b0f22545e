// Which commit a VG's metadata is at, read straight from its devices: under a millisecond, where a report takes fifty.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { parseHeader, parseLabel, parseSequence } from './header.ts';

export interface Identity {
  /** Two identities with the same mark are of the same commit. */
  readonly mark: string;
  /** The VG's sequence number: every commit adds one. */
  readonly sequence: number;
}

/**
 * Reads what stands in the metadata areas of these devices; undefined when one of them can't be read. All of them,
 * because a commit that has room in some areas only leaves the others as they were.
 */
export type ReadIdentity = (devices: readonly string[]) => Promise<Identity | undefined>;

/** A reader for the devices of one VG. It reads one thing at a time, since all reads share one buffer. */
export function createIdentityReader(): ReadIdentity {
  const memory = new AlignedMemory();
  let last: Promise<unknown> = Promise.resolve();
  return (devices) => {
    const turn = last.then(() => identityOf(devices, memory)).catch(() => undefined);
    last = turn;
    return turn;
  };
}

async function identityOf(devices: readonly string[], memory: AlignedMemory): Promise<Identity | undefined> {
  const marks: string[] = [];
  const sequences: number[] = [];
  for (const device of devices) {
    await using file = await openDirect(device);
    const label = parseLabel(await memory.read(file, 0));
    const header = label && parseHeader(await readAt(file, label.start, memory), label);
    if (!label || header?.text === undefined) return undefined;
    const sequence = parseSequence(await readAt(file, header.text, memory));
    if (sequence === undefined) return undefined;
    marks.push(`${label.pv} ${header.bytes.toString('base64')}`);
    sequences.push(sequence);
  }
  return sequences.length === 0 ? undefined : { mark: marks.join('\n'), sequence: Math.max(...sequences) };
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
