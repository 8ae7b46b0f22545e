// The connections of one listener: HTTP/1.1 and HTTP/2 without TLS on the same socket, told apart by their first bytes.
import { createServer as createHttp1 } from 'node:http';
import { createServer as createHttp2, type ServerHttp2Session } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import type { Request, Response } from './routes.ts';

export interface Front {
  /** Not listening yet. */
  readonly server: Server;
  /** Takes no connection any more and tells HTTP/2 clients so. */
  stopAccepting(): void;
  /** Resolves when every answer that has begun is written. */
  written(): Promise<void>;
  /** Ends what is left. */
  destroy(): void;
}

/** `patience`: milliseconds for a client to say its first word, and to send the whole of an HTTP/1.1 request. */
export function createFront(answer: (request: Request, response: Response) => void, patience = 30_000): Front {
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const open = new Set<Promise<void>>();
  let isStopping = false;

  const note = (request: Request, response: Response) => {
    const closed = Promise.withResolvers<void>();
    open.add(closed.promise);
    response.once('close', () => {
      open.delete(closed.promise);
      closed.resolve();
    });
    // Deno closes a connection that we were handed after its first answer, so it has to be said.
    if (request.httpVersionMajor === 1 && (isStopping || 'Deno' in globalThis))
      response.setHeader('connection', 'close');
    answer(request, response);
  };

  const http1 = createHttp1(
    { headersTimeout: patience, requestTimeout: patience, connectionsCheckingInterval: patience },
    note,
  );
  // It never listens itself, and its time limits begin when it does.
  http1.emit('listening');
  const http2 = createHttp2(note);
  http2.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    // A client that breaks off is no news; without a listener it would end the daemon.
    session.on('error', () => {});
  });

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    handOver(socket, patience, (isHttp2) => (isHttp2 ? http2 : http1).emit('connection', socket));
  });
  return {
    server,
    stopAccepting() {
      isStopping = true;
      server.close();
      for (const session of sessions) session.close();
    },
    async written() {
      await Promise.all(open);
    },
    destroy() {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      http1.close();
    },
  };
}

const HTTP2_PREFACE = Buffer.from('PRI ');

/** Waits for the first bytes of a connection, puts them back, and says whether they are HTTP/2's. */
function handOver(socket: Socket, patience: number, to: (isHttp2: boolean) => void): void {
  let seen = Buffer.alloc(0);
  const look = () => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    seen = Buffer.concat([seen, chunk]);
    const isLike = HTTP2_PREFACE.subarray(0, seen.length).equals(seen.subarray(0, HTTP2_PREFACE.length));
    if (isLike && seen.length < HTTP2_PREFACE.length) return;
    socket.off('readable', look);
    socket.off('end', leave);
    socket.setTimeout(0);
    socket.off('timeout', leave);
    socket.unshift(seen);
    to(isLike);
  };
  const leave = () => socket.destroy();
  socket.on('readable', look);
  socket.once('end', leave);
  socket.setTimeout(patience);
  socket.once('timeout', leave);
}
