// Where a daemon answers, as people write it.
import { coreErrors } from '../errors.ts';

export const DEFAULT_ADDRESS = 'unix:///run/sltv/sltvd.sock';

/** As node:http wants it. */
export type Target = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** Reads `unix:///path`, `/path` or `http://host:port`. Errors: `core/input`. */
export function parseAddress(address: string): Target {
  const path = /^(?:unix:(?:\/\/)?)?(\/[^/].*)$/.exec(address)?.[1];
  if (path !== undefined) return socketAt(path);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === 'http:' && url.hostname !== '') {
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || '80') };
  }
  throw coreErrors('input', `'${address}' is not an address of a daemon`, {
    hint: `write the path of its socket, such as ${DEFAULT_ADDRESS}`,
  });
}

function socketAt(path: string): Target {
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return { socketPath: path };
  throw coreErrors('input', `the path of a socket has at most ${LONGEST_SOCKET_PATH} bytes, '${path}' has more`);
}

/** Linux: `sun_path` less its terminating zero. */
const LONGEST_SOCKET_PATH = 107;
