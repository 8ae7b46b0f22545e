// A stream of results: Connect's envelopes, five bytes of header before each JSON message.
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { JsonObject } from '@bufbuild/protobuf';
import { type CallOptions, type Connection, callHeaders, isAnswer, LONGEST_TIMEOUT, post } from './call.ts';
import { notReached, refusedBy, wireError } from './failure.ts';

/** Asks once and hands out each response as it comes. Without a timeout of its own it lasts as long as the daemon goes on. */
export async function* watch(
  connection: Connection,
  path: string,
  body: object,
  options: CallOptions,
): AsyncGenerator<JsonObject, void> {
  const leaving = new AbortController();
  const clock =
    options.timeout === undefined ? undefined : AbortSignal.timeout(Math.min(options.timeout, LONGEST_TIMEOUT));
  const ends = [leaving.signal, options.signal, clock].filter((signal) => signal !== undefined);
  try {
    const response = await post(connection, {
      path,
      body: envelope(JSON.stringify(body)),
      headers: { 'content-type': CONTENT_TYPE, ...callHeaders(options) },
      signal: AbortSignal.any(ends),
    });
    if (!isAnswer(response, CONTENT_TYPE)) {
      throw refusedBy(connection.addr, response.statusCode, await text(response));
    }
    yield* responses(response);
  } catch (error) {
    throw notReached(error, { addr: connection.addr, timeout: options.timeout, signal: options.signal, clock });
  } finally {
    leaving.abort();
  }
}

const CONTENT_TYPE = 'application/connect+json';
/** Bytes: flags, then the length. */
const HEADER = 5;
const END_OF_STREAM = 0b10;

interface End {
  readonly error?: JsonObject;
}

function envelope(message: string): Buffer {
  const payload = Buffer.from(message);
  const header = Buffer.alloc(HEADER);
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

async function* responses(response: IncomingMessage): AsyncGenerator<JsonObject, void> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of response) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= HEADER && held.length >= HEADER + held.readUInt32BE(1)) {
      const end = HEADER + held.readUInt32BE(1);
      // The daemon writes a response in each envelope but the last, and that one by Connect's rules.
      const message = JSON.parse(held.toString('utf8', HEADER, end)) as JsonObject & End;
      if ((held[0] ?? 0) & END_OF_STREAM) {
        if (message.error !== undefined) throw wireError(message.error);
        return;
      }
      yield message;
      held = held.subarray(end);
    }
  }
  throw new Error('the stream broke off');
}
