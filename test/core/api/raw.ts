// HTTP as somebody writes it by hand, over a Unix socket.
import { request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // What JSON.parse gives; each test says what it expects of it.
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into it.
  readonly json: any;
}

export interface RawRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export async function raw(socketPath: string, path: string, options: RawRequest = {}): Promise<RawAnswer> {
  const { method = 'POST', headers = { 'content-type': 'application/json' }, body = '', signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
  const call = request({ socketPath, path, method, headers, agent: false, ...(signal ? { signal } : {}) }, resolve);
  call.on('error', reject);
  call.end(body);
  const response = await promise;
  const said = await text(response);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    json: said === '' ? undefined : JSON.parse(said),
  };
}
