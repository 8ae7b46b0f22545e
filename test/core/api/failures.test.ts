import { Code, ConnectError } from '@connectrpc/connect';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asFailure, fromConnectError, toConnectError } from '../../../core/api/failures.ts';
import { ErrorInfoSchema } from '../../../core/api/gen/sltv/v1/errors_pb.ts';
import { KINDS, type Kind, kindOf, SltvError } from '../../../core/errors.ts';

const CODES: Readonly<Record<Kind, Code>> = {
  invalid: Code.InvalidArgument,
  'not-found': Code.NotFound,
  exists: Code.AlreadyExists,
  busy: Code.Aborted,
  refused: Code.FailedPrecondition,
  exhausted: Code.ResourceExhausted,
  denied: Code.PermissionDenied,
  unsupported: Code.Unimplemented,
  unavailable: Code.Unavailable,
  timeout: Code.DeadlineExceeded,
  cancelled: Code.Canceled,
  internal: Code.Internal,
};

for (const kind of Object.keys(KINDS) as Kind[]) {
  test(`${kind} is ${Code[CODES[kind]]} on the wire, and comes back as ${kind}`, () => {
    const error = new SltvError(kind, `trial/${kind}`, 'a sentence', { hint: 'a hint' });
    const wire = toConnectError(error);
    assert.is(wire.code, CODES[kind]);
    assert.is(wire.rawMessage, 'a sentence');
    assert.is(kindOf(wire.code), kind);
    const [info] = wire.findDetails(ErrorInfoSchema);
    assert.is(info?.code, `trial/${kind}`);
    assert.is(info?.hint, 'a hint');
    assert.is(fromConnectError(wire), error);
  });
}

test('a code that no kind has is internal', () => {
  assert.is(kindOf(Code.DataLoss), 'internal');
});

for (const [code, ours] of [
  [Code.InvalidArgument, 'core/input'],
  [Code.ResourceExhausted, 'core/too-large'],
  [Code.Unimplemented, 'core/unsupported'],
  [Code.DeadlineExceeded, 'core/timeout'],
  [Code.Canceled, 'core/cancelled'],
  [Code.Unknown, 'core/internal'],
] as const) {
  test(`what Connect calls ${Code[code]} is ${ours}, of the same kind`, () => {
    const error = fromConnectError(new ConnectError('its words', code));
    assert.is(error.code, ours);
    assert.is(error.kind, kindOf(code));
  });
}

test("a defect of the daemon's own names the request", () => {
  const caller = { name: 'test', role: 'viewer' } as const;
  const call = { signal: new AbortController().signal, caller, requestId: 'r-17' };
  const error = asFailure(new TypeError('no moon'), call);
  assert.is(error.code, 'core/internal');
  assert.is(error.message, 'the daemon failed at this: no moon (request r-17)');
  assert.instance(error.cause, TypeError);
});

test.run();
