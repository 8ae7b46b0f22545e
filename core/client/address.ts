// Where a daemon answers, as people write it.
import { coreErrors } from '../errors.ts';

export const DEFAULT_ADDRESS = 'unix:///run/sltv/sltvd.sock';

/** `isSecure`: over TLS. */
export type TcpTarget = { readonly host: string; readonly port: number; readonly isSecure: boolean };
export type Target = { readonly socketPath: string } | TcpTarget;

/**
 * Reads `unix:///path`, `/path`, `host:port` and `https://host:port`, both of which mean TLS, or `http://host:port`, which
 * goes without. Errors: `core/input`.
 */
export function parseAddress(address: string): Target {
  const path = /^(?:unix:(?:\/\/)?)?(\/[^/].*)$/.exec(address)?.[1];
  if (path !== undefined) return socketAt(path);
  const target = HOST_AND_PORT.test(address) ? urlTarget(`https://${address}`) : urlTarget(address);
  if (target !== undefined) return target;
  throw coreErrors('input', `'${address}' is not an address of a daemon`, { hint: remedyFor(address) });
}

const HOST_AND_PORT = /^(?!unix:)(?:\[[^\s[\]]+\]|[^\s/:[\]@]+):\d+$/;

function urlTarget(address: string): TcpTarget | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isSecure = url?.protocol === 'https:';
  if (!url || !(isSecure || url.protocol === 'http:')) return undefined;
  if (url.hostname === '' || `${url.username}${url.search}${url.hash}` !== '' || url.pathname !== '/') return undefined;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (isSecure ? '443' : '80')),
    isSecure,
  };
}

function remedyFor(address: string): string {
  const path = /^unix:\/*(.+)$/.exec(address)?.[1];
  if (path !== undefined) return `did you mean unix:///${path}?`;
  return `write its socket's path, such as ${DEFAULT_ADDRESS}, or HOST:PORT`;
}

function socketAt(path: string): Target {
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return { socketPath: path };
  throw coreErrors('input', `the path of a socket has at most ${LONGEST_SOCKET_PATH} bytes, '${path}' has more`);
}

/** Linux: `sun_path` less its terminating zero. */
const LONGEST_SOCKET_PATH = 107;
