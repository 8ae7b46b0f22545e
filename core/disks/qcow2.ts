// What a qcow2 image's header says, read by ourselves: qemu-img, asked about an image that somebody else has made, opens what that
// image names, and a guest that wrote it into its raw disk would choose a file of this host.
import { open } from 'node:fs/promises';

/** `unsafe`: why it must not be opened as an image, as the end of a sentence. */
export type Header =
  | { readonly virtualSize: bigint; readonly unsafe?: undefined }
  | { readonly unsafe: string; readonly hint: string };

/** Reads the header of what lies at `path`; undefined where it does not begin like an image. */
export async function readQcow2Header(path: string): Promise<Header | undefined> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(FIRST_CLUSTER), 0, FIRST_CLUSTER, 0);
    return headerIn(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** Bytes: all that a header may take in an image with clusters of the usual size. */
const FIRST_CLUSTER = 64 * 1024;

/** The same, of the image's first bytes. */
export function headerIn(bytes: Buffer): Header | undefined {
  if (bytes.length < MAGIC.length || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (bytes.length < LEAST) return torn;
  const version = bytes.readUInt32BE(AT.version);
  if (version !== 2 && version !== 3) return unsafe(`its version is ${version}, 2 and 3 are known`, UNKNOWN);
  if (bytes.readBigUInt64BE(AT.backingFile) !== 0n) {
    return unsafe(
      'it rests on another file (a backing file)',
      'flatten it first: qemu-img rebase -f qcow2 -b "" on it',
    );
  }
  if (bytes.readUInt32BE(AT.encryption) !== 0)
    return unsafe('it is encrypted', 'sltv keeps no keys: qemu-img convert it');
  const virtualSize = bytes.readBigUInt64BE(AT.size);
  if (virtualSize === 0n) return unsafe('it has no size', UNKNOWN);
  if (version === 2) return extensions(bytes, LENGTH_2) ?? { virtualSize };
  const features = bytes.readBigUInt64BE(AT.features);
  if (features & FEATURE.externalData) return unsafe('its data is in another file', WHOLE);
  if (features & FEATURE.corrupt)
    return unsafe('it is marked as damaged', 'qemu-img check -f qcow2 on it says what is wrong');
  if (features & ~KNOWN_FEATURES) return unsafe('it has features that are not known here', UNKNOWN);
  return extensions(bytes, bytes.readUInt32BE(AT.length)) ?? { virtualSize };
}

/** Walks through what follows the header; an end that is not reached counts as none. */
function extensions(bytes: Buffer, from: number): Header | undefined {
  for (let at = from; at + 8 <= bytes.length; ) {
    const type = bytes.readUInt32BE(at);
    if (type === EXTENSION.end) return undefined;
    if (type === EXTENSION.dataFile) return unsafe('it names another file for its data', WHOLE);
    if (type === EXTENSION.encryption) return unsafe('it is encrypted', 'sltv keeps no keys: qemu-img convert it');
    // Each is padded to eight bytes.
    at += 8 + Math.ceil(bytes.readUInt32BE(at + 4) / 8) * 8;
  }
  return torn;
}

const unsafe = (why: string, hint: string): Header => ({ unsafe: why, hint });

const WHOLE = 'make a whole image of it first: qemu-img convert -O qcow2';
const UNKNOWN = 'look at it where QEMU can do no harm, and make a new image of it: qemu-img convert -O qcow2';
const torn = unsafe('its header is torn', UNKNOWN);

// QEMU's docs/interop/qcow2.txt; all numbers are big-endian.
const MAGIC = Buffer.from('QFI\xfb', 'latin1');
const AT = { version: 4, backingFile: 8, size: 24, encryption: 32, features: 72, length: 100 } as const;
const LENGTH_2 = 72;
const LEAST = 104;
const FEATURE = { dirty: 1n, corrupt: 2n, externalData: 4n, compression: 8n, extendedEntries: 16n } as const;
const KNOWN_FEATURES = FEATURE.dirty | FEATURE.compression | FEATURE.extendedEntries;
const EXTENSION = { end: 0, dataFile: 0x44415441, encryption: 0x0537be77 } as const;
