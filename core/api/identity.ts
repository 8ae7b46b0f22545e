// What a TCP listener shows of itself and whom it trusts: read from its files, and again whenever they change.
import { constants } from 'node:crypto';
import { statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { asSltvError, coreErrors } from '../errors.ts';
import type { Log } from '../log.ts';
import { ownCertificate, readTlsFiles, type TlsFiles, type TlsPaths } from '../tls-files.ts';

export interface Identity {
  /** As it holds now. */
  readonly context: SecureContextOptions;
  /** The context of new files, where they have changed and are in order; undefined otherwise. */
  look(): SecureContextOptions | undefined;
  /** What is wrong with the files, or soon will be, in sentences. */
  remarks(): readonly string[];
}

/** Errors: readTlsFiles's; `core/tls-file` for files that TLS refuses. */
export function openIdentity(paths: TlsPaths, log: Log): Identity {
  // Before they are read: what is changed meanwhile is seen the next time.
  let state = stateOf(paths);
  let files = readTlsFiles(paths, { areGuarded: true });
  let context = contextOf(files, paths);
  let trouble: string | undefined;
  const say = () => {
    for (const remark of ageOf(files, paths)) log.warn(remark);
  };
  say();
  return {
    get context() {
      return context;
    },
    look() {
      const now = stateOf(paths);
      if (now === state) return undefined;
      state = now;
      try {
        const fresh = readTlsFiles(paths, { areGuarded: true });
        context = contextOf(fresh, paths);
        files = fresh;
        trouble = undefined;
        log.info('new certificates hold from now on', { ...paths });
        say();
        return context;
      } catch (error) {
        const { message, hint } = asSltvError(error);
        // As between the renames of a new key and its new certificate.
        trouble = `the certificates as they were before still hold: ${message}`;
        log.warn('new certificates can not be used, and those before still hold', { because: message, hint });
        return undefined;
      }
    },
    remarks: () => [...(trouble === undefined ? [] : [trouble]), ...ageOf(files, paths)],
  };
}

/** Says what there is to read, without reading it. Links are followed, so one that is set anew is a change. */
const stateOf = ({ cert, key, ca }: TlsPaths): string => [cert, key, ca].map(factsOf).join(' ');

function factsOf(path: string | undefined): string {
  if (path === undefined) return '';
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return asSltvError(error).message;
  }
}

function contextOf(files: TlsFiles, paths: TlsPaths): SecureContextOptions {
  const options: SecureContextOptions = {
    ...files,
    // Older versions have flaws that no setting mends (RFC 8996); what has no 1.3 yet, as some hosts' Python, has 1.2.
    minVersion: 'TLSv1.2',
    // Each connection shows its certificate anew, so that none outlives its end or its authority by a ticket.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw coreErrors('tls-file', `TLS does not take the certificate ${paths.cert} with the key ${paths.key}: ${said}`, {
      hint: 'make a new one with a key of 2048 bits or more, or on the curve P-256: docs/security.md',
      cause,
    });
  }
  return options;
}

/** Days before its end from which on a certificate is spoken of. */
const SOON = 14;
const DAY = 24 * 60 * 60 * 1000;

function ageOf({ cert }: TlsFiles, paths: TlsPaths): readonly string[] {
  if (cert === undefined) return [];
  const { validFrom, validTo } = ownCertificate(cert);
  const left = Date.parse(validTo) - Date.now();
  if (left < 0) return [`the daemon's certificate ${paths.cert} ended on ${validTo}: clients refuse it`];
  if (Date.parse(validFrom) > Date.now()) {
    return [
      `the daemon's certificate ${paths.cert} begins only on ${validFrom}: clients refuse it; is the clock right?`,
    ];
  }
  return left < SOON * DAY
    ? [`the daemon's certificate ${paths.cert} ends on ${validTo}: put a new one into its place`]
    : [];
}
