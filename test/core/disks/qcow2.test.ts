// Headers as qemu-img writes them.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { headerIn, readQcow2Header } from '../../../core/disks/qcow2.ts';
import { GiB } from '../../../core/units.ts';

const execute = promisify(execFile);
const test = suite('headers of images');
let directory: string;

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sltv-qcow2-'));
  await writeFile(join(directory, 'other'), '');
});
test.after(() => rm(directory, { recursive: true }));

async function made(...words: readonly string[]): Promise<Buffer> {
  const image = join(directory, 'image');
  await execute('qemu-img', ['create', '-q', '-f', 'qcow2', ...words, image, '1G'], { cwd: directory });
  return (await readFile(image)).subarray(0, 64 * 1024);
}

for (const [title, ...words] of [
  ['of the usual kind'],
  ['of version 2', '-o', 'compat=0.10'],
  ['with lazy reference counts', '-o', 'lazy_refcounts=on'],
  ['compressed with zstd', '-o', 'compression_type=zstd'],
  ['with extended entries', '-o', 'extended_l2=on'],
  ['in clusters of 2 MiB', '-o', 'cluster_size=2M'],
] as const) {
  test(`an image ${title} is harmless, and as large as its guest sees it`, async () => {
    assert.equal(headerIn(await made(...words)), { virtualSize: GiB });
  });
}

for (const [title, why, ...words] of [
  ['that rests on another file', 'backing file', '-b', 'other', '-F', 'raw'],
  ['of version 2 that does', 'backing file', '-o', 'compat=0.10', '-b', 'other', '-F', 'raw'],
  ['whose data is elsewhere', 'another file', '-o', 'data_file=data.raw'],
  [
    'that is encrypted',
    'encrypted',
    ...['--object', 'secret,id=s,data=x', '-o', 'encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10'],
  ],
] as const) {
  test(`an image ${title} is unsafe`, async () => {
    assert.match(headerIn(await made(...words))?.unsafe ?? 'harmless', why);
  });
}

/** The usual image with other bytes at an offset. */
async function changed(at: number, ...bytes: readonly number[]): Promise<string> {
  const image = await made();
  image.set(bytes, at);
  return headerIn(image)?.unsafe ?? 'harmless';
}

test('what is damaged, unknown or torn is unsafe', async () => {
  assert.match(await changed(79, 2), 'damaged');
  assert.match(await changed(79, 4), 'another file');
  assert.match(await changed(72, 0x80), 'not known');
  assert.match(await changed(7, 4), 'version is 4');
  assert.match(await changed(24, 0, 0, 0, 0, 0, 0, 0, 0), 'no size');
  // The first extension says that it is longer than all there is; or it names a file for data without the feature's bit.
  const { length } = { length: (await made()).readUInt32BE(100) };
  assert.match(await changed(length + 4, 0xff, 0xff, 0xff, 0xff), 'torn');
  assert.match(await changed(length, 0x44, 0x41, 0x54, 0x41), 'another file');
  assert.match(headerIn((await made()).subarray(0, 90))?.unsafe ?? 'harmless', 'torn');
});

test('what does not begin like an image is none, also when it is short', async () => {
  assert.is(headerIn(Buffer.alloc(4096)), undefined);
  assert.is(headerIn(Buffer.from('QF')), undefined);
  assert.is(await readQcow2Header(join(directory, 'other')), undefined);
});

test.run();
