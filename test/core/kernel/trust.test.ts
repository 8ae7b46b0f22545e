import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SltvError } from '../../../core/errors.ts';
import { isTrustedFolder, readTrusted } from '../../../core/kernel/trust.ts';
import { trustedFolder } from './kit.ts';

function failure(path: string): SltvError {
  try {
    readTrusted(path);
  } catch (error) {
    assert.instance(error, SltvError);
    return error as SltvError;
  }
  throw new Error(`${path} was trusted`);
}

function file(path: string, mode = 0o644): string {
  writeFileSync(path, 'content');
  chmodSync(path, mode);
  return path;
}

test('a file that only its owner can write is read', async () => {
  await using folder = await trustedFolder();
  const path = file(join(folder.path, 'config.ts'), 0o600);
  assert.is(readTrusted(path).text, 'content');
});

for (const mode of [0o664, 0o646]) {
  test(`a file of mode ${mode.toString(8)} is refused with the chmod that helps`, async () => {
    await using folder = await trustedFolder();
    const path = file(join(folder.path, 'config.ts'), mode);
    const error = failure(path);
    assert.is(error.code, 'core/config-untrusted');
    assert.match(error.message, path);
    assert.is(error.hint, `chmod go-w ${path}`);
  });
}

test('a folder that others can write is refused, however far above', async () => {
  await using folder = await trustedFolder();
  const open = join(folder.path, 'open');
  mkdirSync(join(open, 'a', 'b'), { recursive: true });
  chmodSync(open, 0o777);
  const error = failure(file(join(open, 'a', 'b', 'config.ts')));
  assert.is(error.hint, `chmod go-w ${open}`);
});

test('a sticky folder such as /tmp is refused, since anybody may put a file there first', async () => {
  const path = await mkdtemp(join(tmpdir(), 'sltv-trust-'));
  try {
    const error = failure(file(join(path, 'config.ts')));
    assert.is(error.code, 'core/config-untrusted');
    assert.match(error.message, `${tmpdir()} can be written by others`);
    assert.match(error.hint ?? '', 'keep the config elsewhere');
    assert.not.ok(isTrustedFolder(path));
  } finally {
    await rm(path, { recursive: true });
  }
});

test('a link is judged by where it stands and by where it leads', async () => {
  await using folder = await trustedFolder();
  const real = join(folder.path, 'real');
  const open = join(folder.path, 'open');
  mkdirSync(real);
  mkdirSync(open);
  file(join(real, 'config.ts'));
  file(join(open, 'config.ts'));
  chmodSync(open, 0o777);
  symlinkSync(join(real, 'config.ts'), join(folder.path, 'good.ts'));
  symlinkSync(join(open, 'config.ts'), join(folder.path, 'leads-out.ts'));
  symlinkSync(join(real, 'config.ts'), join(open, 'stands-out.ts'));
  assert.is(readTrusted(join(folder.path, 'good.ts')).path, join(real, 'config.ts'));
  assert.is(failure(join(folder.path, 'leads-out.ts')).code, 'core/config-untrusted');
  assert.is(failure(join(open, 'stands-out.ts')).code, 'core/config-untrusted');
});

if (process.geteuid?.() === 0) {
  test('a file of another user is refused with the chown that helps', async () => {
    await using folder = await trustedFolder();
    const path = file(join(folder.path, 'config.ts'));
    chownSync(path, 12345, 0);
    const error = failure(path);
    assert.match(error.message, 'belongs to user 12345');
    assert.is(error.hint, `chown root ${path}`);
  });
}

test('what is not there, and what is no file, is said so', async () => {
  await using folder = await trustedFolder();
  assert.is(failure(join(folder.path, 'none.ts')).code, 'core/config-missing');
  assert.match(failure(folder.path).message, 'is not a file');
});

test.run();
