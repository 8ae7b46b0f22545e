// Where the daemon answers, as a config says it: Unix sockets, and TCP ports with TLS.
import * as v from 'valibot';
import { isRecord } from './definition.ts';
import { Path, RoleName } from './option-values.ts';
import { readSubject } from './subject.ts';
import { ROLES, type Role } from './verb.ts';

export const UnixListener = v.strictObject({
  unix: v.pipe(
    Path,
    v.metadata({ default: '`/run/sltv/sltvd.sock` where nothing is listed' }),
    v.description('a Unix socket; whoever may open it is who may use it'),
  ),
  group: v.pipe(v.optional(v.string()), v.description("the socket's group; without one it is root's alone")),
  mode: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0o777), v.title('permission bits')), 0o660),
    v.metadata({ default: '`0o660`' }),
    v.description("the socket's permission bits, in octal"),
  ),
  role: v.pipe(
    v.optional(RoleName, 'admin'),
    v.metadata({ default: '`admin`; `viewer` for a port that is `insecure`' }),
    v.description(
      'what callers through it may do: a viewer looks, an operator works with disks, an admin also with pools',
    ),
  ),
});
export type UnixListener = v.InferOutput<typeof UnixListener>;

/** Without a host every address of this one is meant. */
export const HOST_AND_PORT = /^(?<host>\[[0-9A-Fa-f:.]+\]|[^\s[\]:/]*):(?<port>\d{1,5})$/;

const isHostAndPort = (word: string) => Number(HOST_AND_PORT.exec(word)?.groups?.port ?? Number.NaN) <= 65_535;

/** A TCP port. It speaks TLS, whatever else is said. */
export const TcpListener = v.pipe(
  v.strictObject({
    tcp: v.pipe(
      v.string(),
      v.check(isHostAndPort, 'expected HOST:PORT, such as 0.0.0.0:8443 or [::]:8443'),
      v.title('`HOST:PORT`'),
      v.metadata({ default: 'none' }),
      v.description(
        'a port in place of `unix`: `0.0.0.0:8443` for every address, `[fd00::5]:8443`. It speaks TLS only, 1.2 or newer',
      ),
    ),
    tls: v.strictObject({
      cert: v.pipe(
        Path,
        v.description(
          "the daemon's certificate, in PEM, with those in between it and its authority. New files hold without a restart",
        ),
      ),
      key: v.pipe(Path, v.description('the key of that certificate; refused when everybody can read it')),
      ca: v.pipe(
        v.optional(Path),
        v.description(
          'the authorities whose certificates clients must have. Without it the listener is refused, unless it is `insecure`',
        ),
      ),
    }),
    insecure: v.pipe(
      v.optional(v.boolean(), false),
      v.description('everybody who reaches the port is served, without a certificate: in place of `tls.ca`'),
    ),
    role: v.pipe(
      v.optional(RoleName),
      v.description('what callers through it may do; `viewer` where no certificate is asked for, else `admin`'),
    ),
    roles: v.optional(
      v.array(
        v.strictObject({
          subject: v.pipe(
            v.string(),
            v.description(
              'certificates whose role is lower: `CN=monitor`, `OU=storage, O=Example Ltd`, or `*` for all. The first that fits holds',
            ),
            v.check(
              (words) => readSubject(words) !== undefined,
              "expected a subject such as 'CN=monitor' or 'OU=storage, O=Example Ltd', or '*' for every certificate",
            ),
          ),
          role: v.pipe(RoleName, v.description('the role of such certificates')),
        }),
      ),
      [],
    ),
  }),
  v.forward(
    v.check(
      ({ tls, insecure }) => tls.ca !== undefined || insecure,
      "is missing, and without the authority of the clients' certificates everybody who reaches the port would be served; if that is meant, say insecure: true",
    ),
    ['tls', 'ca'],
  ),
  v.forward(
    v.check(
      ({ tls, insecure }) => tls.ca === undefined || !insecure,
      'serves everybody, and tls.ca only those with a certificate: leave out one of the two',
    ),
    ['insecure'],
  ),
  v.forward(
    v.check(
      ({ tls, roles }) => tls.ca !== undefined || roles.length === 0,
      "goes by the clients' certificates, which nobody is asked for without tls.ca",
    ),
    ['roles'],
  ),
  v.forward(
    v.check(
      (listener) => listener.roles.every(({ role }) => ROLES.indexOf(role) <= ROLES.indexOf(roleOf(listener))),
      "has a role above the listener's own, and a certificate can only lower that: raise role, and end roles with { subject: '*', role: … }",
    ),
    ['roles'],
  ),
  v.transform((listener) => ({ ...listener, role: roleOf(listener) })),
);
export type TcpListener = v.InferOutput<typeof TcpListener>;

const roleOf = ({ role, tls }: { role?: Role | undefined; tls: { ca?: string | undefined } }): Role =>
  role ?? (tls.ca === undefined ? 'viewer' : 'admin');

/** Where the daemon answers. Chosen by what is there, so that what is wrong is said of the one that was meant. */
export const Listener = Object.assign(
  v.lazy<typeof UnixListener | typeof TcpListener>((input) =>
    isRecord(input) && 'tcp' in input ? TcpListener : UnixListener,
  ),
  { options: [UnixListener, TcpListener] },
);
