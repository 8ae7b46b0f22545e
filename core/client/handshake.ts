// Why TLS with what answers on an address came to nothing, as whoever asked can act on it.
import { coreErrors, type SltvError } from '../errors.ts';

/** Undefined where it is nothing about TLS. */
export function handshakeFailure(error: unknown, addr: string): SltvError | undefined {
  if (!(error instanceof Error)) return undefined;
  const said = `${'code' in error ? error.code : ''} ${error.message}`;
  const [, explain] = FAILURES.find(([pattern]) => pattern.test(said)) ?? [];
  return explain?.(addr, error);
}

/** Node tells them by OpenSSL's names, and some by its sentences alone. */
const FAILURES: readonly (readonly [RegExp, (addr: string, error: Error) => SltvError])[] = [
  [/CERT_HAS_EXPIRED/, (addr, error) => untrusted(`${ITS} ${addr} has expired`, `renew it there, ${CLOCK}`, error)],
  [/CERT_NOT_YET_VALID/, (addr, error) => untrusted(`${ITS} ${addr} is not valid yet`, `wait, ${CLOCK}`, error)],
  [/ALTNAME_INVALID/, wrongName],
  [
    /DEPTH_ZERO_SELF_SIGNED_CERT/,
    (addr, error) => untrusted(`${ITS} ${addr} is signed by itself, and is not trusted here`, AUTHORITY, error),
  ],
  [
    /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)|CERT_SIGNATURE_FAILURE/,
    (addr, error) => untrusted(`${ITS} ${addr} is signed by no authority that is trusted here`, AUTHORITY, error),
  ],
  [
    /INVALID_PURPOSE/,
    (addr, error) =>
      untrusted(
        `${ITS} ${addr} is not made for servers`,
        "is it a client's? its extendedKeyUsage has to have serverAuth",
        error,
      ),
  ],
  [
    /UNSUPPORTED_PROTOCOL|unsupported protocol|alert protocol version|ALERT_PROTOCOL_VERSION/,
    (addr, error) =>
      untrusted(`what answers on ${addr} speaks only versions of TLS before 1.2`, 'sltv does not speak those', error),
  ],
  [
    /wrong[ _]version[ _]number|packet[ _]length[ _]too[ _]long|record[ _]layer[ _]failure|unexpected[ _]message/i,
    (addr, cause) =>
      coreErrors('no-daemon', `what answers on ${addr} does not speak TLS, and sltv speaks nothing else over TCP`, {
        hint: "give the port of a listener with tcp, under listen in that host's sltv.config.ts",
        cause,
      }),
  ],
  [
    /alert.(certificate.required|bad.certificate|unknown.ca|certificate.(expired|unknown|revoked)|handshake.failure)/i,
    (addr, cause) =>
      coreErrors('bad-certificate', `what answers on ${addr} refused this client's certificate, or wants one`, {
        hint: '--tls-cert FILE --tls-key FILE, or SLTV_TLS_CERT and SLTV_TLS_KEY',
        cause,
      }),
  ],
];

const ITS = 'the certificate of the daemon on';
const CLOCK = "unless this host's clock is wrong: date";
const AUTHORITY =
  "name the authority that signed it with --tls-ca FILE or SLTV_TLS_CA, if you know that it is the daemon's";

const untrusted = (message: string, hint: string, cause: Error) =>
  coreErrors('untrusted-daemon', message, { hint, cause });

/** Node keeps the certificate with this one. */
function wrongName(addr: string, error: Error): SltvError {
  const { host, cert } = error as Error & {
    host?: string;
    cert?: { subjectaltname?: string; subject?: { CN?: string } };
  };
  const names = cert?.subjectaltname ?? (cert?.subject?.CN === undefined ? 'nobody' : `CN:${cert.subject.CN}`);
  const wanted = host === undefined || host === '' ? 'the name that was asked for' : host;
  return untrusted(
    `${ITS} ${addr} is for ${names}, and not for ${wanted}`,
    "if it is the right daemon, say its certificate's name: --tls-server-name NAME, or SLTV_TLS_SERVER_NAME",
    error,
  );
}
