import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SltvError } from '../../../core/errors.ts';
import { initFolder } from '../../../core/kernel/init-folder.ts';
import { trustedFolder } from './kit.ts';

const carried = async () =>
  brotliCompressSync(
    JSON.stringify({
      'sltv.config.ts': 'export default {};',
      'tsconfig.json': '{ "extends": "./.types/tsconfig.json" }',
      '.types/sltv.d.ts': 'export {};',
      '.types/node/fs/promises.d.ts': 'export {};',
    }),
  );

const init = async (folder: string) => {
  const { files, remarks } = await initFolder(folder, carried);
  return { now: Object.fromEntries(files.map(({ path, now }) => [path.slice(folder.length + 1), now])), remarks };
};

async function failure(folder: string, from = carried): Promise<SltvError> {
  const error = await initFolder(folder, from).catch((thrown: unknown) => thrown);
  assert.instance(error, SltvError);
  return error as SltvError;
}

test('an empty folder gets a config, a tsconfig and the types', async () => {
  await using folder = await trustedFolder();
  const path = join(folder.path, 'a/b');
  const { now, remarks } = await init(path);
  assert.equal(now, { 'sltv.config.ts': 'written', 'tsconfig.json': 'written', '.types': 'written' });
  assert.equal(remarks, [`make it yours, then: sltv config check --config ${path}/sltv.config.ts`]);
  assert.equal(readdirSync(path).sort(), ['.types', 'sltv.config.ts', 'tsconfig.json']);
  assert.is(readFileSync(join(path, '.types/node/fs/promises.d.ts'), 'utf8'), 'export {};');
});

test('nobody else can write what it made, whatever the umask', async () => {
  await using folder = await trustedFolder();
  const before = process.umask(0);
  try {
    await init(join(folder.path, 'a'));
  } finally {
    process.umask(before);
  }
  for (const name of ['.', 'sltv.config.ts', '.types', '.types/node', '.types/sltv.d.ts']) {
    const { mode } = statSync(join(folder.path, 'a', name));
    assert.is(mode & 0o022, 0, name);
    assert.is(mode & 0o044, 0o044, `${name} can be read by an editor`);
  }
});

test('a second time renews the types, with nothing left of the old ones, and keeps what was edited', async () => {
  await using folder = await trustedFolder();
  await init(folder.path);
  writeFileSync(join(folder.path, 'sltv.config.ts'), 'export default { mine: 1 };');
  writeFileSync(join(folder.path, '.types/old.d.ts'), 'export {};');
  writeFileSync(join(folder.path, '.types/sltv.d.ts'), 'export const old = 1;');
  const { now, remarks } = await init(folder.path);
  assert.equal(now, { 'sltv.config.ts': 'kept', 'tsconfig.json': 'kept', '.types': 'renewed' });
  assert.equal(remarks, []);
  assert.is(readFileSync(join(folder.path, 'sltv.config.ts'), 'utf8'), 'export default { mine: 1 };');
  assert.is(readFileSync(join(folder.path, '.types/sltv.d.ts'), 'utf8'), 'export {};');
  assert.equal(readdirSync(folder.path).sort(), ['.types', 'sltv.config.ts', 'tsconfig.json']);
  assert.equal(readdirSync(join(folder.path, '.types')).sort(), ['node', 'sltv.d.ts']);
});

for (const name of ['sltv.config.mjs', 'sltv.config.js']) {
  test(`beside a ${name} no sltv.config.ts is written, which would be loaded in its place`, async () => {
    await using folder = await trustedFolder();
    writeFileSync(join(folder.path, name), 'export default {};');
    const { now } = await init(folder.path);
    assert.equal(now, { [name]: 'kept', 'tsconfig.json': 'written', '.types': 'written' });
  });
}

test('whose tsconfig knows nothing of the types is told what to say in it', async () => {
  await using folder = await trustedFolder();
  const tsconfig = join(folder.path, 'tsconfig.json');
  writeFileSync(tsconfig, '{}');
  const { remarks } = await init(folder.path);
  assert.ok(remarks.some((remark) => remark.includes(`say in ${tsconfig}: "extends": "./.types/tsconfig.json"`)));
  assert.is(readFileSync(tsconfig, 'utf8'), '{}');
});

test('where the daemon would read no config, the folder is made all the same, and why is said', async () => {
  const path = await mkdtemp(join(tmpdir(), 'sltv-init-'));
  try {
    const { remarks } = await init(path);
    assert.match(remarks[0] ?? '', `the daemon will not read it: ${tmpdir()} can be written by others`);
    assert.match(remarks[0] ?? '', 'keep the config elsewhere');
  } finally {
    await rm(path, { recursive: true });
  }
});

test('a config that others can write is kept, with the chmod that it needs', async () => {
  await using folder = await trustedFolder();
  const config = join(folder.path, 'sltv.config.ts');
  writeFileSync(config, 'export default {};');
  chmodSync(config, 0o666);
  assert.match((await init(folder.path)).remarks[0] ?? '', `chmod go-w ${config}`);
});

test('nothing is written through a link that somebody laid', async () => {
  await using folder = await trustedFolder();
  const [here, there] = [join(folder.path, 'here'), join(folder.path, 'there')];
  mkdirSync(here);
  mkdirSync(there);
  writeFileSync(join(there, 'sltv.d.ts'), '');
  symlinkSync(there, join(here, '.types'));
  symlinkSync(join(there, 'tsconfig.json'), join(here, 'tsconfig.json'));
  symlinkSync(join(there, 'sltv.config.ts'), join(here, 'sltv.config.ts'));
  await initFolder(here, carried).catch(() => {});
  assert.equal(readdirSync(there), ['sltv.d.ts']);
});

test('a .types that is not ours is left alone', async () => {
  await using folder = await trustedFolder();
  mkdirSync(join(folder.path, '.types'));
  writeFileSync(join(folder.path, '.types/mine.d.ts'), '');
  const error = await failure(folder.path);
  assert.is(error.code, 'core/input');
  assert.match(error.message, '.types is there, and sltv did not write it');
  assert.equal(readdirSync(join(folder.path, '.types')), ['mine.d.ts']);
});

test('what is no folder is said so', async () => {
  await using folder = await trustedFolder();
  const file = join(folder.path, 'file');
  writeFileSync(file, '');
  for (const path of [file, join(file, 'below')])
    assert.match((await failure(path)).message, `${path} is not a folder`);
});

test('a program that carries no types says what to copy', async () => {
  const error = await failure('/nowhere', () => Promise.reject(new Error('ENOENT')));
  assert.is(error.code, 'core/unsupported');
  assert.match(error.hint ?? '', 'copy that file from where sltv.mjs came from');
});

test.run();
