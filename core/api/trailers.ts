// Errors as every gRPC client reads them.
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import type { SltvError } from '../errors.ts';
import { toConnectError } from './failures.ts';

/** What gRPC says of an error, in trailers or, where there are none, headers; with the detail ErrorInfo. */
export function statusOf(error: SltvError): Headers {
  const status = new Headers();
  setTrailerStatus(status, toConnectError(error));
  status.set(MESSAGE, encodeURI(error.message));
  return status;
}

const MESSAGE = 'grpc-message';

/**
 * gRPC leaves printable ASCII as it is and escapes the rest (PROTOCOL-HTTP2.md, "Percent-Encoded"). Connect escapes more,
 * and grpc-js, which reads by decodeURI, shows its users `vg-sltv%2Fdata`. encodeURI escapes what both can read.
 */
export function legible(response: UniversalServerResponse): UniversalServerResponse {
  const { body, trailer } = response;
  if (!body || !trailer) return response;
  return { ...response, body: thenRewrite(body, trailer) };
}

/** The status is known when the body has ended, and is written after it. */
async function* thenRewrite(body: AsyncIterable<Uint8Array>, trailer: Headers): AsyncIterable<Uint8Array> {
  yield* body;
  const message = trailer.get(MESSAGE);
  if (message !== null) trailer.set(MESSAGE, encodeURI(decodeURIComponent(message)));
}
