// TLS on the way to a daemon. Loaded for an address of TCP only: node:tls takes longer to load than a call takes.
import type { SecureContext } from 'node:tls';
import { coreErrors } from '../errors.ts';
import { readTlsFiles } from '../tls-files.ts';

/** Paths of PEM files, which are read with each call: a renewed certificate is the next call's. */
export interface TlsOptions {
  /** This client's own, for a daemon that asks for one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The authorities that the daemon's certificate may be of; default: this host's. */
  readonly ca?: string | undefined;
  /** The name that the daemon's certificate has to have; default: the host of the address. */
  readonly serverName?: string | undefined;
}

/** As node:tls and node:https take them. */
export interface SecureOptions {
  readonly secureContext: SecureContext;
  readonly servername: string;
  readonly rejectUnauthorized: true;
  readonly checkServerIdentity: (host: string, certificate: import('node:tls').PeerCertificate) => Error | undefined;
}

/** Errors: readTlsFiles's; `core/tls-file` for files that TLS refuses. */
export function secureOptions(host: string, { cert, key, ca, serverName }: TlsOptions): SecureOptions {
  const { checkServerIdentity } = tls();
  const name = serverName ?? host;
  const files = readTlsFiles({ cert, key, ca }, { areGuarded: false });
  return {
    secureContext: contextOf(files),
    // An address has no place in TLS's own field for a name; the certificate is held to it all the same.
    servername: process.getBuiltinModule('node:net').isIP(name) === 0 ? name : '',
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  };
}

const tls = () => process.getBuiltinModule('node:tls');

function contextOf(files: ReturnType<typeof readTlsFiles>): SecureContext {
  const { createSecureContext, getCACertificates } = tls();
  const ca = files.ca ?? [...getCACertificates('default'), ...getCACertificates('system')];
  try {
    return createSecureContext({ ...files, ca, minVersion: 'TLSv1.2' });
  } catch (cause) {
    throw coreErrors(
      'tls-file',
      `TLS does not take this certificate and key: ${cause instanceof Error ? cause.message : cause}`,
      {
        hint: 'docs/security.md shows how to make them',
        cause,
      },
    );
  }
}
