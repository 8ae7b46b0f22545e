// HTTP, in both its versions, on connections that a listener has accepted: who each request comes from, and what every request
// is held to, whatever it asks.
import { createServer as createHttp1 } from 'node:http';
import { constants, createServer as createHttp2, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { coreErrors, type SltvError } from '../errors.ts';
import type { Visit } from './arrivals.ts';
import type { Caller, House } from './door.ts';
import { refuse } from './refuse.ts';
import type { Request, Response } from './routes.ts';

/** Who is behind a connection: a caller, or somebody who is told why they are none, whatever they ask. */
export type Who = { readonly caller: Caller } | { readonly refusal: SltvError };

export interface Front {
  /** Speaks HTTP on a connection from now on. */
  take(socket: Socket, version: 1 | 2, visit: Visit, who: Who): void;
  /** Tells HTTP/2 clients to ask nothing more. */
  stopAccepting(): void;
  /** Resolves when every answer that has begun is written. */
  written(): Promise<void>;
  destroy(): void;
}

/** `everybody`: who is behind a connection that is not known again by its requests, as under Deno. */
export function createFront({ answer, limits, load }: House, everybody?: Caller): Front {
  const { requestTimeout, unreadTimeout, idleTimeout, headerSize, callsPerConnection } = limits;
  /** By the socket of HTTP/1.1, or the session of HTTP/2. */
  const known = new WeakMap<object, { readonly visit: Visit; readonly who: Who }>();
  const sessions = new Set<ServerHttp2Session>();
  const open = new Map<Response, Hand>();
  let isStopping = false;

  const note = (request: Request, response: Response) => {
    const isHttp2 = 'stream' in request;
    const from = known.get((isHttp2 ? request.stream.session : request.socket) ?? request);
    const who = from?.who ?? (everybody && { caller: everybody });
    if (!who) return void response.destroy();
    const closed = Promise.withResolvers<void>();
    const leaveWork = 'refusal' in who ? undefined : load.begin();
    const late = isHttp2 ? setTimeout(() => giveUp(request, response), requestTimeout) : undefined;
    from?.visit.begin();
    open.set(response, { closed: closed.promise, unread: 0, since: 0 });
    response.once('close', () => {
      clearTimeout(late);
      open.delete(response);
      leaveWork?.();
      from?.visit.end();
      closed.resolve();
      // Over TLS nobody else tells whoever waits to write on that there is nobody to write to.
      if (response.listenerCount('drain') > 0) response.emit('error', new Error('the client has gone'));
    });
    // Deno closes a connection that we were handed after its first answer, so it has to be said.
    if (!isHttp2 && (isStopping || 'Deno' in globalThis)) response.setHeader('connection', 'close');
    if ('refusal' in who) refuse(request, response, who.refusal, { andLeave: true });
    else if (!leaveWork) refuse(request, response, tooManyCalls(limits.calls));
    else answer(request, response, who.caller);
  };

  /** Node does this for HTTP/1.1. Where the answer has begun, the request is a stream that may go on. */
  const giveUp = (request: Request, response: Response) => {
    if (!request.complete && !response.headersSent) refuse(request, response, tooSlow(requestTimeout));
  };

  const http1 = createHttp1(
    {
      headersTimeout: requestTimeout,
      requestTimeout,
      keepAliveTimeout: idleTimeout,
      maxHeaderSize: headerSize,
      connectionsCheckingInterval: Math.ceil(requestTimeout / 2),
    },
    note,
  );
  // It never listens itself, and its time limits begin when it does.
  http1.emit('listening');
  const http2 = createHttp2(
    {
      settings: { maxConcurrentStreams: callsPerConnection, maxHeaderListSize: headerSize },
      // Megabytes of what it queues for one connection; a new stream is refused beyond that.
      maxSessionMemory: 4,
      // A client that resets its calls as fast as it makes them is left after this many, and this many a second.
      streamResetBurst: 200,
      streamResetRate: 20,
      maxSessionInvalidFrames: 50,
      maxSettings: 32,
    },
    note,
  );
  http2.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    // A client that breaks off is no news; without a listener it would end the daemon.
    session.on('error', () => {});
  });

  const sweep = setInterval(
    () => {
      const now = performance.now();
      // Node gives up a session that breaks the rules, and over TLS waits for its client to end it in good order.
      for (const session of sessions) if (session.destroyed) known.get(session)?.visit.cut();
      for (const [response, hand] of open) {
        const unread = response.writableLength;
        if (unread > 0 && unread === hand.unread) {
          if (now - hand.since >= unreadTimeout) cut(response);
        } else {
          hand.unread = unread;
          hand.since = now;
        }
      }
    },
    Math.ceil(unreadTimeout / 4),
  );
  sweep.unref();

  return {
    take(socket, version, visit, who) {
      if (version === 1) {
        known.set(socket, { visit, who });
        http1.emit('connection', socket);
        return;
      }
      const remember = (session: ServerHttp2Session) => {
        known.set(session, { visit, who });
        visit.onLeave(() => session.close());
      };
      // An HTTP/2 client that has nothing more to say says so in its own frames: whose connection ends without is gone.
      socket.allowHalfOpen = false;
      // The session begins within `emit`, or not at all.
      http2.once('session', remember);
      http2.emit('connection', socket);
      http2.off('session', remember);
    },
    stopAccepting() {
      isStopping = true;
      for (const session of sessions) session.close();
    },
    async written() {
      await Promise.all([...open.values()].map(({ closed }) => closed));
    },
    destroy() {
      clearInterval(sweep);
      for (const session of sessions) session.destroy();
      http1.close();
    },
  };
}

/** An answer that is not written to its end. */
interface Hand {
  readonly closed: Promise<void>;
  /** Bytes that its client has left unread, and since when it is as many. */
  unread: number;
  since: number;
}

/** Ends an answer that nobody reads, and with HTTP/1.1 its connection. */
function cut(response: Response): void {
  if ('stream' in response) response.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  response.destroy();
}

const tooManyCalls = (most: number) =>
  coreErrors('overloaded', `the daemon has ${most} calls in hand, which is as many as it takes`, {
    hint: 'try again in a moment; the option limits.calls says how many',
  });

const tooSlow = (patience: number) =>
  coreErrors('timeout', `the request was not there within ${patience / 1000} s`, {
    hint: 'the option limits.requestTimeout says how long the daemon waits',
  });
