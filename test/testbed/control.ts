// The harness's end of the control channel into a host: frames over a virtio-serial port; see inside/agent.py for them.
import type { Socket } from 'node:net';

const HEADER_BYTES = 9;
/** Stdin goes in pieces, so that one command's flood doesn't hold up another's start. */
const PIECE_BYTES = 65_536;

export interface Ended {
  readonly code: number;
  /** How long it took inside the host, from its start to its end. */
  readonly ms: number;
}

export interface Handlers {
  stdout(data: Buffer): void;
  stderr(data: Buffer): void;
  /** Called once, last: how it ended, or why nothing more will be heard of it. */
  ended(how: Ended | Error): void;
}

/** A command that runs inside the host. */
export interface Remote {
  input(data: Uint8Array): void;
  endInput(): void;
  kill(signal: number): void;
}

/** One boot's channel. It is over when the host is: everything that still runs then ends with an error. */
export class Control {
  readonly #socket: Socket;
  readonly #running = new Map<number, Handlers>();
  readonly #answered = Promise.withResolvers<void>();
  #inbox = Buffer.alloc(0);
  #lastId = 0;
  #lost: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    // Nobody has to wait for the first answer: a host that dies before it says so by its own end.
    this.#answered.promise.catch(() => {});
    socket.on('data', (data) => this.#take(data));
    socket.on('error', (error) => this.lose(error));
    socket.on('close', () => this.lose(new Error('the control channel was closed')));
  }

  /** Settles when the host takes commands. */
  get answered(): Promise<void> {
    return this.#answered.promise;
  }

  /** Starts a shell command; with `hasInput` its stdin is what `input` gives it, else it is empty. */
  run(command: string, hasInput: boolean, handlers: Handlers): Remote {
    const id = ++this.#lastId;
    if (this.#lost !== undefined) {
      handlers.ended(this.#lost);
    } else {
      this.#running.set(id, handlers);
      this.#send('R', id, Buffer.from(`${hasInput ? 1 : 0}${command}`));
    }
    return {
      input: (data) => {
        for (let at = 0; at < data.length; at += PIECE_BYTES) this.#send('I', id, data.subarray(at, at + PIECE_BYTES));
      },
      endInput: () => this.#send('E', id),
      kill: (signal) => this.#send('K', id, Buffer.from(String(signal))),
    };
  }

  /** Asks the host to shut down in an orderly way. */
  halt(): void {
    this.#send('H', 0);
  }

  /** Ends everything that runs with this reason; nothing can be run after it. */
  lose(reason: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = reason;
    this.#socket.destroy();
    this.#answered.reject(reason);
    for (const handlers of this.#running.values()) handlers.ended(reason);
    this.#running.clear();
  }

  #send(kind: string, id: number, payload: Uint8Array = new Uint8Array()): void {
    if (this.#lost !== undefined) return;
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(payload.length, 0);
    header.write(kind, 4, 'latin1');
    header.writeUInt32BE(id, 5);
    this.#socket.write(Buffer.concat([header, payload]));
  }

  #take(data: Buffer): void {
    this.#inbox = Buffer.concat([this.#inbox, data]);
    while (this.#inbox.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#inbox.readUInt32BE(0);
      if (this.#inbox.length < end) return;
      const kind = this.#inbox.toString('latin1', 4, 5);
      const id = this.#inbox.readUInt32BE(5);
      const payload = this.#inbox.subarray(HEADER_BYTES, end);
      this.#inbox = this.#inbox.subarray(end);
      this.#dispatch(kind, id, payload);
    }
  }

  #dispatch(kind: string, id: number, payload: Buffer): void {
    if (kind === 'h') this.#answered.resolve();
    const handlers = this.#running.get(id);
    if (handlers === undefined) return;
    if (kind === 'o') handlers.stdout(payload);
    if (kind === 'e') handlers.stderr(payload);
    if (kind === 'x') {
      this.#running.delete(id);
      const [code, ms] = payload.toString().split(' ');
      handlers.ended({ code: Number(code), ms: Number(ms) });
    }
  }
}
