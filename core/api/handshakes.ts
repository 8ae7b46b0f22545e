// Connections that TLS has something against: why, as whoever can act on it is told.
import type { X509Certificate } from 'node:crypto';
import { coreErrors, type SltvError } from '../errors.ts';

/** What is wrong with a client's certificate, by OpenSSL's name for it; the client reads this. */
export function certificateRefusal(at: string, certificate: X509Certificate | undefined, code: string): SltvError {
  if (certificate === undefined) {
    return coreErrors('bad-certificate', `${at} serves clients with a certificate, and this one showed none`, {
      hint: 'sltv takes it as --tls-cert FILE --tls-key FILE, or from SLTV_TLS_CERT and SLTV_TLS_KEY',
    });
  }
  const name = inOneLine(certificate.subject);
  const [sentence, hint] = flawOf(certificate, datesSay(certificate) ?? code);
  return coreErrors('bad-certificate', `the client certificate ${name} ${sentence}`, { hint });
}

/** `CN=monitor, O=Example`: OpenSSL has escaped what is no letter. */
export const inOneLine = (subject: string | undefined): string => (subject ?? '').replaceAll('\n', ', ');

/** Where the time is wrong that is told first; Deno has another name for it. */
function datesSay({ validFrom, validTo }: X509Certificate): string | undefined {
  if (Date.parse(validTo) < Date.now()) return 'CERT_HAS_EXPIRED';
  return Date.parse(validFrom) > Date.now() ? 'CERT_NOT_YET_VALID' : undefined;
}

const SIGN = "use one that the authority in the listener's tls.ca has signed: docs/security.md";

function flawOf(
  { issuer, validFrom, validTo }: X509Certificate,
  code: string,
): readonly [sentence: string, hint: string] {
  const from = inOneLine(issuer);
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return [`ended on ${validTo}`, "make a new one (docs/security.md), unless the daemon's clock is wrong: date"];
    case 'CERT_NOT_YET_VALID':
      return [`begins only on ${validFrom}`, "wait until then, unless the daemon's clock is wrong: date"];
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return ['is signed by itself, and by no authority that the daemon trusts', SIGN];
    case 'INVALID_PURPOSE':
      return ['is not made for clients', 'its extendedKeyUsage has to have clientAuth: docs/security.md'];
    case 'CERT_SIGNATURE_FAILURE':
      return [`has a signature that is not ${from}'s, though it says so`, SIGN];
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return [`is signed by ${from}, which is no authority that the daemon trusts`, SIGN];
    default:
      return [`does not hold: ${code}`, SIGN];
  }
}

/** Why there was no handshake, for the log; undefined where a client just went away, as a port scanner does. */
export function noHandshake(error: Error): string | undefined {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNRESET' || code === 'EPIPE') return undefined;
  return HANDSHAKES.find(([pattern]) => pattern.test(code))?.[1] ?? `TLS failed: ${code || error.message}`;
}

const HANDSHAKES: readonly (readonly [RegExp, string])[] = [
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|WRONG_VERSION/, 'it speaks only versions of TLS before 1.2'],
  [/NO_APPLICATION_PROTOCOL/, 'it speaks neither HTTP/2 nor HTTP/1.1'],
  [/NO_SHARED_CIPHER|NO_SHARED_GROUP|NO_SUITABLE/, 'it has no cipher, curve or signature in common with the daemon'],
  [/HANDSHAKE_TIMEOUT/, 'it did not end the handshake in time'],
  [/ALERT_UNKNOWN_CA/, "it does not trust the authority of the daemon's certificate"],
  [/ALERT_CERTIFICATE_EXPIRED/, "it says that the daemon's certificate has expired"],
  [/ALERT_(BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE)/, "it refuses the daemon's certificate"],
];
