// What is checked in is what the .proto files say, and the .proto files still say what clients were told.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = join(import.meta.dirname, '../../..');
const GEN = 'core/api/gen';

const test = suite<{ folder: string }>('generated code');
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'sltv-gen-'));
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

const buf = (cwd: string, ...args: string[]) =>
  execa('buf', args, { cwd, preferLocal: true, localDir: ROOT, reject: false, all: true, timeout: 60_000 });

const contents = (folder: string): Record<string, string> => {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name)).toSorted();
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]));
};

test('generating again changes nothing', async ({ folder }) => {
  const { exitCode, all } = await buf(ROOT, 'generate', '--output', folder);
  assert.is(exitCode, 0, all);
  assert.ok(Object.keys(contents(join(folder, GEN))).length >= 5);
  assert.equal(contents(join(folder, GEN)), contents(join(ROOT, GEN)), 'run npm run gen');
});

test('the .proto files keep the style, but for the names that are fixed', async () => {
  const { exitCode, all } = await buf(ROOT, 'lint');
  assert.is(exitCode, 0, all);
});

test('nothing breaks clients of version 1', async () => {
  const { exitCode, all } = await buf(ROOT, 'breaking', '--against', 'core/api/v1.binpb');
  assert.is(exitCode, 0, all);
});

// As if today's schema were the older one: what v1.binpb lacks of it would have been deleted.
const unguarded = (today: string) =>
  buf(ROOT, 'breaking', 'core/api/v1.binpb', '--config', 'buf.yaml', '--against', today);

test('all that there is today is kept from now on (npm run api:keep)', async () => {
  const { exitCode, all } = await unguarded(ROOT);
  assert.is(exitCode, 0, all);
});

test('a field that was added and is not kept yet would be noticed', async ({ folder }) => {
  cpSync(join(ROOT, 'core/api/sltv'), join(folder, 'core/api/sltv'), { recursive: true });
  cpSync(join(ROOT, 'buf.yaml'), join(folder, 'buf.yaml'));
  const proto = join(folder, 'core/api/sltv/v1/vm.proto');
  writeFileSync(proto, readFileSync(proto, 'utf8').replace('string path = 2;', 'string path = 2; string more = 5;'));
  const { exitCode, all } = await unguarded(folder);
  assert.is(exitCode, 100, all);
  assert.match(all, /"more"/);
});

test('a field that got another number would be noticed', async ({ folder }) => {
  cpSync(join(ROOT, 'core/api/sltv'), join(folder, 'core/api/sltv'), { recursive: true });
  cpSync(join(ROOT, 'buf.yaml'), join(folder, 'buf.yaml'));
  const proto = join(folder, 'core/api/sltv/v1/sltv.proto');
  writeFileSync(proto, readFileSync(proto, 'utf8').replace('string device_path = 6;', 'string device_path = 10;'));
  const { exitCode, all } = await buf(folder, 'breaking', '--against', join(ROOT, 'core/api/v1.binpb'));
  assert.is(exitCode, 100, all);
  assert.match(all, /device_path/);
});

test('what was typed by hand from the description is what we serve', async ({ folder }) => {
  // As the older version of one file, every message of it has to be in ours, number by number.
  cpSync(join(ROOT, 'test/fixtures/api-v1.proto'), join(folder, 'core/api/sltv/v1/sltv.proto'));
  cpSync(join(ROOT, 'buf.yaml'), join(folder, 'buf.yaml'));
  const { exitCode, all } = await buf(ROOT, 'breaking', '--against', folder);
  assert.is(exitCode, 0, all);
});

test.run();
