// An answer to a request that no method sees: why not, in the client's own protocol.
import { constants } from 'node:http2';
import { universalResponseToNodeResponse } from '@connectrpc/connect-node';
import type { SltvError } from '../errors.ts';
import { errorAnswer } from './error-answer.ts';
import type { Request, Response } from './routes.ts';

/** Answers at once, whatever of the request is still to come. `andLeave`: and ends the connection. */
export function refuse(
  request: Request,
  response: Response,
  error: SltvError,
  { andLeave = false }: { readonly andLeave?: boolean } = {},
): void {
  // What is left of it is of no interest, nor is its breaking off.
  request.on('error', () => {});
  request.resume();
  if ('stream' in response) {
    const { stream } = response;
    const { session } = stream;
    // The answer is over then; a client that goes on sending is told that it need not.
    stream.once('wantTrailers', () => setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR)));
    if (andLeave) response.once('close', () => session?.close());
  } else if (andLeave || !request.complete) {
    response.setHeader('connection', 'close');
  }
  const answer = errorAnswer(error, request.headers['content-type']);
  universalResponseToNodeResponse(answer, response).catch(() => response.destroy());
}
