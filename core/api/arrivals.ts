// The connections to one listener: at most so many, the first bytes of each, and an end to those that nobody uses.
import { createServer, type Server, type Socket } from 'node:net';
import type { Limits } from '../kernel/config.ts';

/** What a connection begins with. */
export type Language = 'http1' | 'http2' | 'tls';

/** A connection as its listener counts it. */
export interface Visit {
  /** It came when there were too many, none of them idle: it is to be told so, and goes. */
  readonly isTooMany: boolean;
  /** A call on it begins, and ends. */
  begin(): void;
  end(): void;
  /** How it is ended when it is idle for too long; by itself it is just cut. */
  onLeave(leave: () => void): void;
  /** Ends it now. */
  cut(): void;
}

export interface Arrivals {
  /** Not listening yet. */
  readonly server: Server;
  /** Ends all of them. */
  destroy(): void;
}

/** `greet` is given each connection once its first bytes are there, unread. */
export function createArrivals(
  greet: (socket: Socket, language: Language, visit: Visit) => void,
  { connections, requestTimeout, idleTimeout }: Limits,
): Arrivals {
  const sockets = new Set<Socket>();
  /** Since when nothing is asked on it, the longest first. */
  const idle = new Map<Guest, number>();

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // Whoever is beyond that is not even told.
    if (sockets.size >= connections + TOLD) return void socket.destroy();
    const isTooMany = sockets.size >= connections && !makeRoom();
    const guest = createGuest(socket, { sockets, idle, isTooMany });
    sockets.add(socket);
    socket.once('close', guest.forget);
    socket.on('error', () => socket.destroy());
    awaitWord(socket, requestTimeout, (language) => greet(socket, language, guest));
  });

  /** The one that is idle longest makes way for who comes. */
  function makeRoom(): boolean {
    const [longest] = idle.keys();
    longest?.cut();
    return longest !== undefined;
  }

  const sweep = setInterval(
    () => {
      const now = performance.now();
      for (const [guest, since] of idle) {
        if (now - since < idleTimeout) return;
        // Whoever does not go when told is cut the next time.
        if (guest.wasTold) guest.cut();
        else guest.tell();
      }
    },
    Math.ceil(idleTimeout / 4),
  );
  sweep.unref();

  return {
    server,
    destroy() {
      clearInterval(sweep);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Connections beyond the limit that are told why they are not served. */
const TOLD = 16;

interface Guest extends Visit {
  readonly wasTold: boolean;
  tell(): void;
  /** Counts it no more. */
  forget(): void;
}

interface Present {
  readonly sockets: Set<Socket>;
  readonly idle: Map<Guest, number>;
  readonly isTooMany: boolean;
}

function createGuest(socket: Socket, { sockets, idle, isTooMany }: Present): Guest {
  let calls = 0;
  let wasTold = false;
  let leave = (): void => void socket.destroy();
  const rest = () => void idle.set(guest, performance.now());
  const guest: Guest = {
    isTooMany,
    begin() {
      calls += 1;
      idle.delete(guest);
    },
    end() {
      calls -= 1;
      if (calls === 0 && !socket.destroyed) rest();
    },
    onLeave(how) {
      leave = how;
    },
    get wasTold() {
      return wasTold;
    },
    tell() {
      wasTold = true;
      leave();
    },
    cut() {
      guest.forget();
      socket.destroy();
    },
    forget() {
      sockets.delete(socket);
      idle.delete(guest);
    },
  };
  rest();
  return guest;
}

const HTTP2_PREFACE = Buffer.from('PRI ');
/** The first byte of a TLS handshake. */
const TLS_HANDSHAKE = 0x16;

/** Waits for the first bytes of a connection, puts them back, and says what they are. */
function awaitWord(socket: Socket, patience: number, to: (language: Language) => void): void {
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
    to(isLike ? 'http2' : seen[0] === TLS_HANDSHAKE ? 'tls' : 'http1');
  };
  const leave = () => socket.destroy();
  socket.on('readable', look);
  socket.once('end', leave);
  socket.setTimeout(patience);
  socket.once('timeout', leave);
}
