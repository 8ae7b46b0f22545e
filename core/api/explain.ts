// Requests that never reach a method: what is wrong with them, in words that help, where Connect has none or its own.
import type { IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { DescMethod } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { createAsyncIterable, type UniversalServerResponse } from '@connectrpc/connect/protocol';
import { errorFromJsonBytes, errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import { coreErrors, KINDS, type SltvError } from '../errors.ts';
import { fromConnectError, toConnectError } from './failures.ts';
import { JSON_OPTIONS } from './json.ts';

/** The answer to a path that no service has. */
export function unknownMethod(path: string, headers: IncomingHttpHeaders): UniversalServerResponse {
  const error = coreErrors('unsupported', `this daemon has no method ${path}`, {
    hint: 'methods are called by POST /sltv.v1.Sltv/ListDisks; a newer client may know more than this daemon',
  });
  const type = headers['content-type'] ?? '';
  if (!type.startsWith('application/grpc')) return jsonAnswer(404, error);
  return {
    status: 200,
    header: new Headers({ 'content-type': type }),
    trailer: new Headers({
      'grpc-status': String(KINDS[error.kind].grpc),
      'grpc-message': encodeURIComponent(error.message),
    }),
  };
}

/** The same answer, unless it is an error that says too little: then with a sentence, a hint and its code. */
export async function explained(
  answer: UniversalServerResponse,
  method: DescMethod,
  headers: IncomingHttpHeaders,
): Promise<UniversalServerResponse> {
  if (answer.status < 400) return answer;
  if (!answer.body) return jsonAnswer(answer.status, wrongKindOfRequest(answer.status, method, headers));
  const isPlain = !answer.header?.has('content-encoding') && !answer.header?.has('trailer');
  if (!isPlain) return answer;
  const body = await buffer(answer.body);
  const said = errorFromJsonBytes(body, undefined, new ConnectError('', Code.Internal));
  if (said.details.length > 0) return { ...answer, body: createAsyncIterable([body]) };
  return jsonAnswer(answer.status, inOurWords(said, method));
}

function jsonAnswer(status: number, error: SltvError): UniversalServerResponse {
  const body = errorToJsonBytes(toConnectError(error), JSON_OPTIONS);
  const header = new Headers({ 'content-type': 'application/json', 'content-length': String(body.byteLength) });
  return { status, header, body: createAsyncIterable([body]) };
}

function wrongKindOfRequest(status: number, method: DescMethod, headers: IncomingHttpHeaders): SltvError {
  const name = `${method.parent.typeName}/${method.name}`;
  const hint = `POST with content-type: application/${method.methodKind === 'unary' ? 'json' : 'connect+json'}, or use gRPC`;
  if (status === 405) return coreErrors('input', `${name} is called by POST`, { hint });
  return coreErrors('input', `${name} can't be called with the content type '${headers['content-type'] ?? ''}'`, {
    hint,
  });
}

/** protobuf-es says `cannot decode field sltv.v1.X.size_bytes from JSON: …`. */
const UNREADABLE = /^cannot decode (?:message|field|enum) (?:sltv\.v1\.)?(\S+) from JSON: (.*)$/s;

function inOurWords(error: ConnectError, method: DescMethod): SltvError {
  const [, where, what] = UNREADABLE.exec(error.rawMessage) ?? [];
  if (where === undefined || what === undefined) return fromConnectError(error);
  const fields = method.input.fields.map((field) => field.jsonName).join(', ') || 'no fields';
  return coreErrors('input', `${where} can't be read: ${what}`, {
    hint: what.includes('uint64')
      ? 'sizes are whole bytes: 10737418240, or "10737418240"'
      : `${method.input.name} has ${fields}`,
  });
}
