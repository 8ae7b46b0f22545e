// A daemon that has recorded answers: Connect's JSON over HTTP on a socket in a directory of its own.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { create, toBinary } from '@bufbuild/protobuf';
import { ErrorInfoSchema } from '../../../core/api/gen/sltv/v1/errors_pb.ts';

/** What is answered to a method: a message, a refusal, a stream of messages, one of them later, or nothing, ever. */
export type Recorded =
  | { readonly message: object }
  | { readonly refusal: Refusal }
  | { readonly stream: readonly object[] }
  | { readonly after: Promise<unknown>; readonly answer: Recorded }
  | { readonly silence: true };

/** As Connect writes errors; `info` is the detail's code and hint. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly info: readonly [string, string];
}

export interface Asked {
  /** `Sltv/CreateDisk`. */
  readonly method: string;
  readonly request: unknown;
}

export interface FakeDaemon extends AsyncDisposable {
  readonly addr: string;
  readonly asked: readonly Asked[];
  recorded(method: string): Recorded;
  /** Waits until it is asked something. */
  next(): Promise<void>;
  /** From now on. */
  answer(method: string, recorded: Recorded): void;
}

export async function fakeDaemon(answers: Readonly<Record<string, Recorded>>): Promise<FakeDaemon> {
  const directory = mkdtempSync(join(tmpdir(), 'sltv-cli-'));
  const socket = join(directory, 'sltvd.sock');
  const recorded = new Map(Object.entries(answers));
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const method = (request.url ?? '').replace('/sltv.v1.', '');
    asked.push({ method, request: await read(request) });
    await respond(response, recorded.get(method));
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    addr: `unix://${socket}`,
    asked,
    next: async () => {
      await once(server, 'request');
    },
    recorded: (method) => recorded.get(method) ?? { silence: true },
    answer: (method, answer) => void recorded.set(method, answer),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      rmSync(directory, { recursive: true });
    },
  };
}

async function read(request: IncomingMessage): Promise<unknown> {
  const body = await text(request);
  return JSON.parse(request.headers['content-type'] === 'application/connect+json' ? body.slice(ENVELOPE) : body);
}

const ENVELOPE = 5;

async function respond(response: ServerResponse, answer: Recorded | undefined): Promise<void> {
  if (answer === undefined) {
    response.writeHead(404).end();
  } else if ('after' in answer) {
    await answer.after;
    await respond(response, answer.answer);
  } else if ('message' in answer) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer.message));
  } else if ('refusal' in answer) {
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(refusal(answer.refusal)));
  } else if ('stream' in answer) {
    response.writeHead(200, { 'content-type': 'application/connect+json' });
    for (const message of answer.stream) response.write(envelope(0, message));
    response.end(envelope(2, {}));
  }
}

function refusal({ code, message, info: [errorCode, hint] }: Refusal) {
  const detail = toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { code: errorCode, hint }));
  return { code, message, details: [{ type: 'sltv.v1.ErrorInfo', value: Buffer.from(detail).toString('base64') }] };
}

function envelope(flags: number, message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const header = Buffer.alloc(ENVELOPE);
  header[0] = flags;
  header.writeUInt32BE(body.length, 1);
  return Buffer.concat([header, body]);
}
