// A listener on a TCP port. Nobody is served without TLS, nor, where there is an authority, without a certificate of it; who is
// not served is told why, in HTTP (decision 13).
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { createServer as createTls, type TLSSocket } from 'node:tls';
import { coreErrors, type SltvError } from '../errors.ts';
import { HOST_AND_PORT, type TcpListener } from '../kernel/listener.ts';
import { createArrivals, type Visit } from './arrivals.ts';
import { closingOf, type Door, type House, tooManyConnections } from './door.ts';
import { createFront, type Who } from './front.ts';
import { certificateRefusal, inOneLine, noHandshake } from './handshakes.ts';
import { openIdentity } from './identity.ts';
import { createRefusals } from './refusals.ts';
import { roleOf } from './roles.ts';

/** Milliseconds between two looks at the files of nobody who comes. */
const LOOK = 60_000;

/** Errors: openIdentity's; `core/bad-socket` for a port that is taken, `core/config` for a host that is not this one's, `core/denied`. */
export async function openTcpDoor(listener: TcpListener, house: House): Promise<Door> {
  const { limits } = house;
  const log = house.log.with({ listener: listener.tcp });
  const identity = openIdentity(listener.tls, log);
  const refusals = createRefusals(log);
  const front = createFront(house);
  /** A TLS socket does not tell which connection it stands on, but has its ends. */
  const visits = new Map<string, Visit>();
  let at = `tcp:${listener.tcp}`;

  const secure = createTls({
    ...identity.context,
    requestCert: listener.tls.ca !== undefined,
    // Who has none that holds is told so below.
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: limits.requestTimeout,
  });
  const renew = () => {
    const context = identity.look();
    if (context) secure.setSecureContext(context);
  };

  const arrivals = createArrivals((socket, language, visit) => {
    if (language !== 'tls') {
      const refusal = needsTls(at);
      refusals.note(socket.remoteAddress ?? '', 'it came without TLS', refusal.hint);
      return front.take(socket, language === 'http2' ? 2 : 1, visit, { refusal });
    }
    renew();
    const ends = endsOf(socket);
    visits.set(ends, visit);
    socket.once('close', () => visits.delete(ends));
    // TLS has an end of its own.
    socket.allowHalfOpen = false;
    secure.emit('connection', socket);
  }, limits);

  secure.on('secureConnection', (socket) => {
    const visit = visits.get(endsOf(socket));
    if (!visit) return void socket.destroy();
    socket.on('error', () => socket.destroy());
    const who: Who = visit.isTooMany ? { refusal: tooManyConnections(at, limits) } : callerOn(socket, listener, at);
    if ('refusal' in who) refusals.note(socket.remoteAddress ?? '', who.refusal.message, who.refusal.hint);
    front.take(socket, socket.alpnProtocol === 'h2' ? 2 : 1, visit, who);
  });
  secure.on('tlsClientError', (error, socket) => {
    const why = noHandshake(error);
    if (why !== undefined) refusals.note(socket.remoteAddress ?? '', why);
    socket.destroy();
  });

  const port = await listen(arrivals.server, listener.tcp);
  at = `tcp:${listener.tcp.replace(/:0$/, `:${port}`)}`;
  const looking = setInterval(renew, LOOK);
  looking.unref();
  const { role, insecure } = listener;
  log.info('listening', { tcp: at.slice('tcp:'.length), role, clients: insecure ? 'everybody' : 'with a certificate' });
  const remarks = () => [...(insecure ? [openToAll(at, role)] : []), ...identity.remarks()];
  if (insecure) log.warn(openToAll(at, role));
  return {
    ...closingOf(front, arrivals),
    release: async () => clearInterval(looking),
    remarks,
  };
}

function callerOn(socket: TLSSocket, listener: TcpListener, at: string): Who {
  if (listener.tls.ca === undefined) return { caller: { name: at, role: listener.role } };
  const certificate = socket.getPeerX509Certificate();
  if (!certificate || !socket.authorized) {
    // The types have it as an error; it is OpenSSL's name for one.
    return { refusal: certificateRefusal(at, certificate, String(socket.authorizationError)) };
  }
  const name = `the certificate ${inOneLine(certificate.subject)} at ${at}`;
  return { caller: { name, role: roleOf({ ...socket.getPeerCertificate().subject }, listener) } };
}

const endsOf = ({ remoteAddress, remotePort, localAddress }: Socket) =>
  [remoteAddress, remotePort, localAddress].join(' ');

const openToAll = (at: string, role: string) =>
  `${at} is insecure: everybody who reaches it is served as ${role}, without a certificate`;

const needsTls = (at: string) =>
  coreErrors('needs-tls', `${at} speaks TLS only, and this came without`, {
    hint: 'write https:// in place of http://, or give the gRPC channel TLS credentials; sltv --addr HOST:PORT does so by itself',
  });

/** The port. */
async function listen(server: Server, address: string): Promise<number> {
  const { host = '', port } = HOST_AND_PORT.exec(address)?.groups ?? {};
  const where = { port: Number(port), ...(host === '' ? {} : { host: host.replace(/^\[|\]$/g, '') }) };
  try {
    server.listen(where);
    await once(server, 'listening');
  } catch (error) {
    server.close();
    throw inOurWords(error, address);
  }
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : where.port;
}

function inOurWords(error: unknown, address: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return WORDS[code]?.(address, error) ?? error;
}

const LISTEN = 'or choose another address under listen in sltv.config.ts';

const nowhere = (address: string, cause: unknown) =>
  coreErrors('config', `this host has no address ${address.replace(/:\d+$/, '')}, which listen names`, {
    hint: `ip address shows those it has; 0.0.0.0 means all`,
    cause,
  });

const WORDS: Readonly<Record<string, (address: string, cause: unknown) => SltvError>> = {
  EADDRINUSE: (address, cause) =>
    coreErrors('bad-socket', `something else listens on ${address}`, {
      hint: `ss -ltnp shows what; stop it, ${LISTEN}`,
      cause,
    }),
  EACCES: (address, cause) =>
    coreErrors('denied', `the daemon may not listen on ${address}`, { hint: `run it as root, ${LISTEN}`, cause }),
  EADDRNOTAVAIL: nowhere,
  ENOTFOUND: nowhere,
  EAI_AGAIN: nowhere,
  EINVAL: nowhere,
};
