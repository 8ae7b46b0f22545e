import { create, toBinary } from '@bufbuild/protobuf';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorInfoSchema } from '../../../core/api/gen/sltv/v1/errors_pb.ts';
import { notReached, refusedBy, wireError } from '../../../core/client/failure.ts';

const test = suite('what went wrong');
const ADDR = 'unix:///run/x.sock';
const waiting = { addr: ADDR, timeout: 1000, signal: undefined, clock: undefined };
const systemError = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

for (const [code, ours, hint] of [
  ['ENOENT', 'core/no-daemon', /systemctl start sltv/],
  ['ECONNREFUSED', 'core/no-daemon', /sltv daemon/],
  ['EACCES', 'core/denied', /group/],
  ['ECONNRESET', 'core/no-daemon', /repeat/],
] as const) {
  test(`${code} is ${ours}, with what to do`, () => {
    const error = notReached(systemError(code), waiting);
    assert.is(error.code, ours);
    assert.match(error.message, /\/run\/x\.sock/);
    assert.match(error.hint ?? '', hint);
  });
}

test('the detail is read as protobuf wrote it, also a long one', () => {
  const hint = 'ü'.repeat(300);
  const value = toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { code: 'lvm/no-space', hint }));
  const error = wireError({
    code: 'resource_exhausted',
    message: 'no room',
    details: [
      { type: 'google.rpc.Other', value: 'AAAA' },
      { type: 'sltv.v1.ErrorInfo', value: Buffer.from(value).toString('base64').replaceAll('=', '') },
    ],
  });
  assert.is(error.kind, 'exhausted');
  assert.is(error.code, 'lvm/no-space');
  assert.is(error.message, 'no room');
  assert.is(error.hint, hint);
});

test('a detail without a hint has none', () => {
  const value = toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { code: 'lvm/no-space' }));
  const details = [{ type: 'sltv.v1.ErrorInfo', value: Buffer.from(value).toString('base64') }];
  assert.is(wireError({ code: 'internal', message: 'x', details }).hint, undefined);
});

test('an error without a detail still has a kind and a code', () => {
  const error = wireError({ code: 'not_found' });
  assert.is(error.kind, 'not-found');
  assert.is(error.code, 'core/not-found');
});

test('a code that no kind has is internal', () => {
  assert.is(wireError({ code: 'data_loss', message: 'x' }).kind, 'internal');
});

for (const body of ['<html>', '', '[]', '{"error":"x"}', 'null']) {
  test(`an answer '${body}' is not our daemon's`, () => {
    const error = refusedBy(ADDR, 502, body);
    assert.is(error.code, 'core/no-daemon');
    assert.match(error.message, /not sltv/);
  });
}

test.run();
