// 'sltv/client': the client that the command line uses, and what a program that goes on may want beside it: gRPC, and calls
// that outlast a restart of the daemon.
import { coreErrors } from '../errors.ts';
import { type Client, connect as connectBy, type ClientOptions as Options } from './index.ts';
import { overGrpc, overJson } from './protocol.ts';
import { repeating } from './repeat.ts';

export * from './index.ts';

export interface ClientOptions extends Options {
  /**
   * How calls go over the wire; default `json`, over plain HTTP and a connection for each call. `grpc` shares an HTTP/2 connection
   * among calls at once or soon after each other, and loads its libraries with the first. Messages are the same.
   */
  readonly protocol?: keyof typeof PROTOCOLS | undefined;
  /**
   * Whether a call is asked again, until its deadline, when no daemon is there, its connection breaks, or the answer is
   * UNAVAILABLE; default false. Nothing is done twice by it: all tries have one request id, and what the daemon could not
   * tell by that is repeated only where it was never heard.
   */
  readonly repeat?: boolean | undefined;
}

/**
 * Makes a client. It connects when it is called, and keeps no process waiting in between. Errors: `core/input` for a bad
 * address or protocol.
 */
export function connect({ protocol = 'json', repeat = false, ...options }: ClientOptions = {}): Client {
  if (!Object.hasOwn(PROTOCOLS, protocol)) {
    throw coreErrors('input', `a client speaks no '${protocol}'`, {
      hint: `protocol is one of ${Object.keys(PROTOCOLS).join(', ')}`,
    });
  }
  return connectBy(options, (connection) => {
    const once = PROTOCOLS[protocol](connection);
    return repeat ? repeating(once, connection.timeout) : once;
  });
}

const PROTOCOLS = { json: overJson, grpc: overGrpc } as const;
