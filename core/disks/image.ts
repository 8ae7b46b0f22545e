// qcow2 images, through qemu-img.
import * as v from 'valibot';
import { coreErrors } from '../errors.ts';
import type { Runner } from '../run.ts';

/** Writes an empty qcow2 image of `virtualSize` bytes straight onto the volume at `path`. */
export async function createImage(run: Runner, path: string, virtualSize: bigint, lock: string): Promise<void> {
  await writeImage(run, ['create', '-q', '-f', 'qcow2', path, String(virtualSize)], lock);
}

/** Grows what a guest would see, bytes, of an image that no guest has open. */
export async function resizeImage(run: Runner, path: string, virtualSize: bigint, lock: string): Promise<void> {
  await writeImage(run, ['resize', '-q', '-f', 'qcow2', path, String(virtualSize)], lock);
}

/** What an image's header says. */
export interface ImageHeader {
  /** Bytes that its guest sees. */
  readonly virtualSize: bigint;
  /** Bytes of one cluster. */
  readonly clusterSize: number;
  /** Whether it holds snapshots or bitmaps, beside what its guest sees. */
  readonly hasMore: boolean;
}

/** Reads an image's header; also while a guest has it open. */
export async function readHeader(run: Runner, path: string, signal: AbortSignal): Promise<ImageHeader> {
  // The format is given: probing would believe what a guest wrote into a raw disk.
  const args = ['info', '--force-share', '-f', 'qcow2', '--output', 'json', path];
  const info = v.parse(v.pipe(v.string(), v.parseJson(), Info), await readImage(run, args, signal));
  const inside = [...info.snapshots, ...info['format-specific'].data.bitmaps];
  return {
    virtualSize: BigInt(info['virtual-size']),
    clusterSize: info['cluster-size'],
    hasMore: inside.length > 0,
  };
}

/** Reads an image's virtual size, bytes, from its header; also while a guest has it open. */
export async function readVirtualSize(run: Runner, path: string, signal: AbortSignal): Promise<bigint> {
  return (await readHeader(run, path, signal)).virtualSize;
}

/** The size, bytes, that an image of `virtualSize` in clusters of `clusterSize` has once all of it is written. */
export async function fullImageSize(
  run: Runner,
  virtualSize: bigint,
  signal: AbortSignal,
  clusterSize: number = CLUSTER_SIZE,
): Promise<bigint> {
  const clusters = ['-o', `cluster_size=${clusterSize}`];
  const args = ['measure', '--size', String(virtualSize), '-O', 'qcow2', ...clusters, '--output', 'json'];
  const sizes = v.parse(v.pipe(v.string(), v.parseJson(), Measure), await readImage(run, args, signal));
  return BigInt(sizes['fully-allocated']);
}

/** qemu-img's own choice for a new image, bytes. */
const CLUSTER_SIZE = 64 * 1024;

const Info = v.object({
  'virtual-size': v.number(),
  'cluster-size': v.number(),
  snapshots: v.optional(v.array(v.unknown()), []),
  'format-specific': v.object({ data: v.object({ bitmaps: v.optional(v.array(v.unknown()), []) }) }),
});
const Measure = v.object({ 'fully-allocated': v.number() });

/** Milliseconds; qemu-img reads a header, so anything longer is a device that doesn't answer. */
const READ_TIMEOUT = 20_000;

async function readImage(run: Runner, args: readonly string[], signal: AbortSignal): Promise<string> {
  const done = await run.read('qemu-img', args, { signal, timeout: READ_TIMEOUT });
  if (done.code !== 0) throw failed(args, done.stderr);
  return done.stdout;
}

async function writeImage(run: Runner, args: readonly string[], lock: string): Promise<void> {
  const done = await run.write('qemu-img', args, { lock });
  if (done.code !== 0) throw failed(args, done.stderr);
}

function failed(args: readonly string[], words: string) {
  return coreErrors('tool-failed', `qemu-img ${args[0]} failed: ${words.trim()}`, { cause: words });
}
