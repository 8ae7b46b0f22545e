// Requests that never reach a method: what is wrong with them, in words that help, where Connect has none or its own.
import type { IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { DescMethod } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { createAsyncIterable, type UniversalServerResponse } from '@connectrpc/connect/protocol';
import { errorFromJsonBytes } from '@connectrpc/connect/protocol-connect';
import { coreErrors, type SltvError } from '../errors.ts';
import { errorAnswer, jsonAnswer } from './error-answer.ts';
import { fromConnectError } from './failures.ts';

/** The answer to a path that no service has. */
export function unknownMethod(path: string, headers: IncomingHttpHeaders): UniversalServerResponse {
  const error = coreErrors('unsupported', `this daemon has no method ${path}`, {
    hint: 'methods are called by POST /sltv.v1.Sltv/ListDisks; a newer client may know more than this daemon',
  });
  return errorAnswer(error, headers['content-type'], 404);
}

/** The same answer, unless it is an error that says too little: then with a sentence, a hint and its code. */
export async function explained(
  answer: UniversalServerResponse,
  method: DescMethod,
  headers: IncomingHttpHeaders,
): Promise<UniversalServerResponse> {
  if (answer.status < 400) return answer;
  if (!answer.body) {
    const said = jsonAnswer(wrongKindOfRequest(answer.status, method, headers), answer.status);
    // Connect closes the connection of a client that goes on sending.
    return { ...said, header: new Headers([...said.header, ...(answer.header ?? [])]) };
  }
  const isPlain = !answer.header?.has('content-encoding') && !answer.header?.has('trailer');
  if (!isPlain) return answer;
  const body = await buffer(answer.body);
  const said = errorFromJsonBytes(body, undefined, new ConnectError('', Code.Internal));
  if (said.details.length > 0) return { ...answer, body: createAsyncIterable([body]) };
  return jsonAnswer(inOurWords(said, method), answer.status);
}

function wrongKindOfRequest(status: number, method: DescMethod, headers: IncomingHttpHeaders): SltvError {
  const name = `${method.parent.typeName}/${method.name}`;
  const hint = `POST with content-type: application/${method.methodKind === 'unary' ? 'json' : 'connect+json'}, or use gRPC`;
  if (status === 505) {
    return coreErrors('input', `${name} is a stream in both directions, which needs HTTP/2`, { hint: 'use gRPC' });
  }
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
