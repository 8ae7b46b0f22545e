// One call, in Connect's JSON over bare node:http.
import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Target } from './address.ts';
import { notReached, refusedBy } from './failure.ts';
import type { TlsOptions } from './tls.ts';

// An ES import of node:http evaluates all that it exports, its WebSocket too, and with that 30 ms of undici.
const { request: httpRequest } = process.getBuiltinModule('node:http');

export interface Connection {
  readonly addr: string;
  readonly target: Target;
  readonly tls: TlsOptions;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface CallOptions {
  /** The same id makes a repetition harmless; default: a fresh one. */
  readonly requestId?: string | undefined;
  /** Ends the waiting, and what the daemon has not committed. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
}

/** Asks once and reads the whole answer. Errors: the daemon's own, or why it was not reached. */
export async function call(connection: Connection, path: string, body: object, options: CallOptions): Promise<unknown> {
  const timeout = Math.min(options.timeout ?? connection.timeout, LONGEST_TIMEOUT);
  const clock = AbortSignal.timeout(timeout + PATIENCE);
  const signal = options.signal === undefined ? clock : AbortSignal.any([options.signal, clock]);
  try {
    const response = await post(connection, {
      path,
      body: Buffer.from(JSON.stringify(body)),
      headers: { 'content-type': 'application/json', ...callHeaders({ ...options, timeout }) },
      signal,
    });
    const answer = await text(response);
    if (!isAnswer(response, 'application/json')) throw refusedBy(connection.addr, response.statusCode, answer);
    return JSON.parse(answer);
  } catch (error) {
    throw notReached(error, { addr: connection.addr, timeout, signal: options.signal, clock });
  }
}

/** Milliseconds beyond the deadline, so that a daemon that keeps it, also on a busy host, gets to say what it was waiting for. */
export const PATIENCE = 2_000;

/** Milliseconds, three weeks: beyond what timers can wait they fire at once. */
export const LONGEST_TIMEOUT = 21 * 24 * 60 * 60 * 1000;

/** Whether this is what was asked for, from a daemon of ours. */
export const isAnswer = ({ statusCode, headers }: IncomingMessage, type: string): boolean =>
  statusCode === 200 && headers['content-type']?.startsWith(type) === true;

/** The headers by which the daemon knows a call again and when to give it up. */
export function callHeaders(options: CallOptions): Record<string, string> {
  return {
    'connect-protocol-version': '1',
    'sltv-request-id': options.requestId ?? freshId(),
    ...(options.timeout === undefined ? {} : { 'connect-timeout-ms': String(Math.ceil(options.timeout)) }),
  };
}

/**
 * A random UUID. Under Node from the kernel: loading node:crypto for one would take a fifth as long as starting Node. Deno has
 * it at hand, and lets nobody into /proc who may not do everything.
 */
export const freshId = (): string =>
  'Deno' in globalThis ? crypto.randomUUID() : readFileSync('/proc/sys/kernel/random/uuid', 'utf8').trim();

interface Post {
  readonly path: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Sends a request; answers as soon as the response begins. */
export async function post(connection: Connection, { path, body, headers, signal }: Post): Promise<IncomingMessage> {
  const [ask, way] = await wayTo(connection);
  return await new Promise((resolve, reject) => {
    const request = ask({
      ...way,
      path,
      method: 'POST',
      // A connection of its own for each call: a process that makes one call has nothing left to wait for.
      agent: false,
      headers: { ...headers, 'content-length': String(body.length) },
      signal,
    });
    request.once('response', resolve);
    request.once('error', reject);
    request.end(body);
  });
}

/** What asks, and what it has to know of where. */
async function wayTo({ target, tls }: Connection): Promise<readonly [ask: typeof httpRequest, way: RequestOptions]> {
  // No TLS name to guess at, which costs four milliseconds of regular expressions.
  if ('socketPath' in target) return [httpRequest, { ...target, ...NO_SERVER_NAME }];
  const { host, port, isSecure } = target;
  if (!isSecure) return [httpRequest, { host, port, ...NO_SERVER_NAME }];
  const { secureOptions } = await import('./tls.ts');
  return [process.getBuiltinModule('node:https').request, { host, port, ...secureOptions(host, tls) }];
}

/** node:http's types leave it to node:https. */
const NO_SERVER_NAME: object = { servername: '' };
