// Where Prometheus asks: an HTTP listener of its own, beside the API's sockets.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Log } from 'sltv';

export interface Listening {
  readonly address: string;
  readonly port: number;
  readonly scrape: () => Promise<string>;
  readonly contentType: string;
  readonly log: Log;
  /** Milliseconds until an address that could not be had is tried again. */
  readonly again?: number;
}

/**
 * Returns when it listens, or has found that it can't yet: guests depend on this daemon, so it lives without being measured, and
 * goes on trying.
 */
export async function listen(listening: Listening): Promise<AsyncDisposable> {
  const { address, port, log, again = 10_000 } = listening;
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}/metrics`;
  const server = createServer((request, response) => void respond(listening, request, response));
  server.maxConnections = 64;
  let timer: NodeJS.Timeout | undefined;
  let said: string | undefined;
  const attempt = () => server.listen({ host: address, port });
  server.on('listening', () => log.info('metrics are served', { url }));
  server.on('error', (error) => {
    if (server.listening) return log.warn('the listener of metrics has failed once', { url, error });
    if (said !== error.message) {
      const hint = remedyFor(error, port);
      log.error('metrics are not served, and will be when their address can be had', { url, error, hint });
    }
    said = error.message;
    timer = setTimeout(attempt, again);
  });
  const settled = new Promise<void>((resolve) => {
    server.once('listening', resolve);
    server.once('error', () => resolve());
  });
  attempt();
  await settled;
  return {
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function remedyFor(error: Error, port: number): string {
  if ('code' in error && error.code === 'EADDRNOTAVAIL')
    return 'ip -brief address says which addresses this host has; metrics({ address: … }) takes one of them';
  return `ss -ltnp 'sport = :${port}' says who has it; or set another port in the config: metrics({ port: … })`;
}

async function respond(listening: Listening, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { scrape, contentType, log } = listening;
  const say = (status: number, text: string, headers: Readonly<Record<string, string>> = PLAIN) =>
    response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : text);
  // What it may carry is not read, and must not be waited for.
  request.resume();
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    say(405, 'only GET is answered here\n', { ...PLAIN, allow: 'GET, HEAD' });
    return;
  }
  const [path] = (request.url ?? '').split('?', 1);
  if (path === '/') say(200, "sltv's metrics for Prometheus are at /metrics\n");
  else if (path !== '/metrics') say(404, 'there is nothing here but /metrics\n');
  else {
    try {
      say(200, await scrape(), { 'content-type': contentType });
    } catch (error) {
      log.error('a scrape failed', { error });
      say(500, 'the scrape failed; the reason is in the log of sltv\n');
    }
  }
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8' };
