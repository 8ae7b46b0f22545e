// Errors on the wire: the code of the kind, the sentence as the message, and the detail ErrorInfo.
import { type Code, ConnectError } from '@connectrpc/connect';
import { asSltvError, coreErrors, KINDS, type Kind, kindOf, SltvError } from '../errors.ts';
import type { Call } from '../kernel/verb.ts';
import { ErrorInfoSchema } from './gen/sltv/v1/errors_pb.ts';

/** An SltvError as every protocol of Connect writes it. */
export function toConnectError(error: SltvError): ConnectError {
  // KINDS has gRPC's numbers, and Code is gRPC's enumeration.
  const code = KINDS[error.kind].grpc as Code;
  const info = { desc: ErrorInfoSchema, value: { code: error.code, hint: error.hint ?? '' } };
  return new ConnectError(error.message, code, undefined, [info], error);
}

/** What Connect itself found wrong, such as a body that is too large, in our words. */
export function fromConnectError(error: ConnectError): SltvError {
  if (error.cause instanceof SltvError) return error.cause;
  const code = CODE_OF_KIND[kindOf(error.code)] ?? 'internal';
  const message = code === 'too-large' ? 'this request has more bytes than the daemon takes' : error.rawMessage;
  return coreErrors(code, message, { cause: error });
}

/** Whatever came out of a call instead of an answer. A defect becomes `core/internal`, and names the request. */
export function asFailure(error: unknown, call: Call): SltvError {
  if (error instanceof SltvError) return error;
  if (error instanceof ConnectError) return fromConnectError(error);
  // Whatever gave up because nobody waits any more says so in its own way.
  const known = asSltvError(call.signal.aborted ? call.signal.reason : error);
  if (known.kind !== 'internal') return known;
  return coreErrors('internal', `the daemon failed at this: ${known.message} (request ${call.requestId})`, {
    hint: 'its log has more under this request: journalctl -u sltv',
    cause: error,
  });
}

/** What Connect's own objections are called. */
const CODE_OF_KIND: Partial<Record<Kind, Parameters<typeof coreErrors>[0]>> = {
  invalid: 'input',
  exhausted: 'too-large',
  unsupported: 'unsupported',
  timeout: 'timeout',
  cancelled: 'cancelled',
};
