import { chmodSync, chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SltvError } from '../../core/errors.ts';
import { readTlsFiles, type TlsPaths } from '../../core/tls-files.ts';
import { type Authority, type Issued, makeAuthority } from '../fixtures/certificates.ts';

interface Made {
  readonly folder: string;
  readonly authority: Authority;
  readonly own: Issued;
  readonly other: Issued;
}

const test = suite<Made>('the files of TLS');
test.before(async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sltv-tls-files-'));
  const authority = await makeAuthority(folder, 'ca');
  const [own, other] = await Promise.all([authority.issue('own'), authority.issue('other')]);
  Object.assign(context, { folder, authority, own, other });
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

function refusal(paths: TlsPaths, areGuarded = true): SltvError {
  try {
    readTlsFiles(paths, { areGuarded });
  } catch (error) {
    return error as SltvError;
  }
  throw new Error('they should have been refused');
}

/** A copy to be spoiled. */
function copy({ folder }: Made, path: string, name: string, mode = 0o600): string {
  const at = join(folder, `${name}.copy`);
  copyFileSync(path, at);
  chmodSync(at, mode);
  return at;
}

test('good ones are read as they are', ({ own, authority }) => {
  const files = readTlsFiles({ ...own, ca: authority.ca }, { areGuarded: true });
  assert.is(files.cert, readFileSync(own.cert, 'utf8'));
  assert.is(files.key, readFileSync(own.key, 'utf8'));
  assert.is(files.ca, readFileSync(authority.ca, 'utf8'));
  assert.equal(readTlsFiles({}, { areGuarded: true }), {});
});

test('a file that is not there is named, with what it should have', ({ own }) => {
  const error = refusal({ ...own, key: '/nowhere/x.key' });
  assert.is(error.code, 'core/tls-file');
  assert.is(error.message, 'there is no file /nowhere/x.key, which is to have the key');
});

test('a folder is no file', ({ own, folder }) => {
  assert.is(refusal({ ...own, cert: folder }).message, `${folder} is a directory, and not the certificate`);
});

test('exchanged files are seen through', ({ own }) => {
  const error = refusal({ cert: own.key, key: own.cert });
  assert.is(error.message, `${own.key} has a private key, and is to have the certificate`);
  assert.match(error.hint ?? '', 'exchanged');
});

test('what is not PEM is told how to be read', (made) => {
  const der = join(made.folder, 'own.der');
  writeFileSync(der, Buffer.from([0x30, 0x82, 0x01]));
  const error = refusal({ ...made.own, cert: der });
  assert.match(error.message, 'has nothing in PEM');
  assert.match(error.hint ?? '', `openssl x509 -inform der -in ${der}`);
});

test('a key and a certificate that do not belong together are refused, with how to compare them', ({ own, other }) => {
  const error = refusal({ cert: own.cert, key: other.key });
  assert.is(error.message, `the key ${other.key} is not that of the certificate ${own.cert}`);
  assert.match(error.hint ?? '', 'openssl x509 -noout -pubkey');
});

test('a key with a passphrase is refused, with how to write it without one', async ({ own, folder }) => {
  const key = join(folder, 'locked.key');
  await execa('openssl', ['pkey', '-in', own.key, '-aes256', '-passout', 'pass:secret', '-out', key]);
  const error = refusal({ cert: own.cert, key });
  assert.is(error.message, `the key ${key} is encrypted, and nobody is there to type its passphrase`);
  assert.match(error.hint ?? '', `openssl pkey -in ${key}`);
});

test('a bundle of authorities with a broken one is refused whole', (made) => {
  const bundle = copy(made, made.authority.ca, 'bundle');
  writeFileSync(
    bundle,
    `${readFileSync(bundle, 'utf8')}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n`,
  );
  assert.is(refusal({ ca: bundle }).message, `a certificate in ${bundle} can't be read`);
});

for (const [kind, mode, says, hint] of [
  ['key', 0o644, /^the key \S+ can be read by everybody, and who has it can pass for the daemon$/, /^chmod 600 \S+/],
  ['key', 0o660, /can be written by others/, /^chmod 600/],
  ['cert', 0o666, /can be written by others, and who changes it keeps clients away/, /^chmod go-w/],
  ['ca', 0o664, /can be written by others, and who changes it decides whom the daemon serves/, /^chmod go-w/],
] as const) {
  test(`a daemon's ${kind} with mode ${mode.toString(8)} is refused, a client's is its own affair`, (made) => {
    const paths: Record<string, string> = { ...made.own, ca: made.authority.ca };
    paths[kind] = copy(made, paths[kind] ?? '', `${kind}-${mode}`, mode);
    const error = refusal(paths);
    assert.is(error.code, 'core/tls-file');
    assert.match(error.message, says);
    assert.match(error.hint ?? '', hint);
    readTlsFiles(paths, { areGuarded: false });
  });
}

test('a key that a group may read is fine, as Debian keeps them', (made) => {
  readTlsFiles({ ...made.own, key: copy(made, made.own.key, 'group', 0o640) }, { areGuarded: true });
});

test('a file of another user is refused', (made) => {
  if (process.geteuid?.() !== 0) return;
  const key = copy(made, made.own.key, 'foreign');
  chownSync(key, 65534, 65534);
  const error = refusal({ ...made.own, key });
  assert.is(error.message, `the key ${key} belongs to user 65534, who could change it`);
  assert.is(error.hint, `chown root ${key}`);
});

test.run();
