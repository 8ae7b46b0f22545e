// The files of TLS: a certificate, its key, the authorities of the other side's certificates; what is wrong with one, in a
// sentence. Daemon and client read theirs here.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { coreErrors, type SltvError } from './errors.ts';

export interface TlsPaths {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
}

/** As node:tls wants them, in PEM. */
export interface TlsFiles {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

type Kind = keyof TlsFiles;

/**
 * Reads them all and holds them against each other. `areGuarded`: refuses a file that somebody else may change, and a key that
 * somebody else may read. Errors: `core/tls-file`, `core/denied`.
 */
export function readTlsFiles(paths: TlsPaths, { areGuarded }: { readonly areGuarded: boolean }): TlsFiles {
  const read = (kind: Kind, mustHave: RegExp): { [K in Kind]?: string } => {
    const path = paths[kind];
    if (path === undefined) return {};
    const text = readFile(path, kind, areGuarded);
    if (!mustHave.test(text)) throw wrongContent(path, kind, text);
    return { [kind]: text };
  };
  const files: TlsFiles = {
    ...read('cert', CERTIFICATE),
    ...read('key', PRIVATE_KEY),
    ...read('ca', CERTIFICATE),
  };
  for (const kind of ['cert', 'ca'] as const) if (files[kind] !== undefined) certificatesIn(files[kind], paths[kind]);
  mustMatch(files, paths);
  return files;
}

/** The first certificate of a file that was read: the holder's own. */
export const ownCertificate = (pem: string): X509Certificate => new X509Certificate(pem);

const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const BLOCK = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g;

const WORDS: Readonly<Record<Kind, string>> = {
  cert: 'certificate',
  key: 'key',
  ca: "authority's certificate",
};

/** Permission bits that nobody but its owner, and for reading its group, may have. */
const FORBIDDEN: Readonly<Record<Kind, number>> = { cert: 0o022, key: 0o027, ca: 0o022 };

function readFile(path: string, kind: Kind, areGuarded: boolean): string {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    if (areGuarded) guard(path, kind, fstatSync(file));
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(path, kind, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** What is judged is what was opened. */
function guard(path: string, kind: Kind, { uid, mode }: Stats): void {
  const self = process.geteuid?.() ?? 0;
  if (uid !== 0 && uid !== self) {
    throw coreErrors('tls-file', `the ${WORDS[kind]} ${path} belongs to user ${uid}, who could change it`, {
      hint: `chown root ${path}`,
    });
  }
  const excess = mode & FORBIDDEN[kind];
  if (excess === 0) return;
  const isKey = kind === 'key';
  const danger = isKey
    ? `who has it can pass for the daemon`
    : kind === 'ca'
      ? 'who changes it decides whom the daemon serves'
      : 'who changes it keeps clients away';
  const what = excess & 0o022 ? 'can be written by others' : 'can be read by everybody';
  throw coreErrors('tls-file', `the ${WORDS[kind]} ${path} ${what}, and ${danger}`, {
    hint: isKey ? `chmod 600 ${path}, and make a new key if somebody may have had it` : `chmod go-w ${path}`,
  });
}

function unreadable(path: string, kind: Kind, error: unknown): SltvError | unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return coreErrors('tls-file', `there is no file ${path}, which is to have the ${WORDS[kind]}`, {
      hint: 'correct the path; docs/security.md shows how to make certificates',
      cause: error,
    });
  }
  if (code === 'EISDIR') {
    return coreErrors('tls-file', `${path} is a directory, and not the ${WORDS[kind]}`, {
      hint: `ls ${path}`,
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return coreErrors('denied', `the ${WORDS[kind]} ${path} can't be read by this user`, {
      hint: `ls -l ${path}`,
      cause: error,
    });
  }
  return error;
}

function wrongContent(path: string, kind: Kind, text: string): SltvError {
  const has = PRIVATE_KEY.test(text) ? 'a private key' : CERTIFICATE.test(text) ? 'a certificate' : undefined;
  if (has !== undefined) {
    return coreErrors('tls-file', `${path} has ${has}, and is to have the ${WORDS[kind]}`, {
      hint: 'are two of the files exchanged?',
    });
  }
  return coreErrors('tls-file', `${path} is to have the ${WORDS[kind]}, and has nothing in PEM`, {
    hint: `PEM begins with -----BEGIN …; openssl x509 -inform der -in ${path} reads a certificate in DER`,
  });
}

function certificatesIn(pem: string, path = ''): readonly X509Certificate[] {
  try {
    return (pem.match(BLOCK) ?? [pem]).map((block) => new X509Certificate(block));
  } catch (cause) {
    throw coreErrors('tls-file', `a certificate in ${path} can't be read`, {
      hint: `is the file whole? openssl x509 -noout -subject -in ${path}`,
      cause,
    });
  }
}

function mustMatch({ cert, key }: TlsFiles, paths: TlsPaths): void {
  if (key === undefined) return;
  if (key.includes('ENCRYPTED')) {
    throw coreErrors('tls-file', `the key ${paths.key} is encrypted, and nobody is there to type its passphrase`, {
      hint: `openssl pkey -in ${paths.key} -out PLAIN.key writes it without one`,
    });
  }
  let isIts: boolean;
  try {
    const own = createPrivateKey(key);
    isIts = cert === undefined || ownCertificate(cert).checkPrivateKey(own);
  } catch (cause) {
    throw coreErrors('tls-file', `the key in ${paths.key} can't be read`, {
      hint: `is the file whole? openssl pkey -noout -check -in ${paths.key}`,
      cause,
    });
  }
  if (isIts) return;
  throw coreErrors('tls-file', `the key ${paths.key} is not that of the certificate ${paths.cert}`, {
    hint: `these have to say the same: openssl x509 -noout -pubkey -in ${paths.cert}; openssl pkey -pubout -in ${paths.key}`,
  });
}
