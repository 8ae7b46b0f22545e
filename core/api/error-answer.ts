// An error as a whole answer, to a request that no method of Connect's has seen: in the client's own protocol.
import { createAsyncIterable, type UniversalServerResponse } from '@connectrpc/connect/protocol';
import { codeToHttpStatus, errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import type { SltvError } from '../errors.ts';
import { toConnectError } from './failures.ts';
import { JSON_OPTIONS } from './json.ts';
import { statusOf } from './trailers.ts';

type Answer = UniversalServerResponse & { readonly header: Headers };

/** `type`: the request's content type. `status`: of HTTP, where it is another than the error's kind has. */
export function errorAnswer(error: SltvError, type = '', status?: number): Answer {
  return type.startsWith('application/grpc') ? grpcAnswer(error, type) : jsonAnswer(error, status);
}

export function jsonAnswer(error: SltvError, status?: number): Answer {
  const said = toConnectError(error);
  const body = errorToJsonBytes(said, JSON_OPTIONS);
  const header = new Headers({ 'content-type': 'application/json', 'content-length': String(body.byteLength) });
  return { status: status ?? codeToHttpStatus(said.code), header, body: createAsyncIterable([body]) };
}

/** gRPC-Web, which has no trailers of HTTP, reads the status in the header. */
function grpcAnswer(error: SltvError, type: string): Answer {
  const status = statusOf(error);
  const header = new Headers({ 'content-type': type });
  if (!type.startsWith('application/grpc-web')) return { status: 200, header, trailer: status };
  return { status: 200, header: new Headers([...header, ...status]) };
}
