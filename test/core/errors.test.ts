import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asSltvError, coreErrors, errors, KINDS, SltvError } from '../../core/errors.ts';

test('no two kinds share an exit status or a gRPC code, and none means success', () => {
  for (const number of ['exit', 'grpc'] as const) {
    const numbers = Object.values(KINDS).map((kind) => kind[number]);
    assert.is(new Set(numbers).size, numbers.length);
    assert.not.ok(numbers.includes(0 as never));
  }
});

test('an error has its kind from its code, and its code from its owner', () => {
  const fail = errors('lvm', { 'no-space': 'exhausted' });
  const cause = new Error('insufficient free space');
  const error = fail('no-space', 'vg0 has 1 GiB free', { hint: 'sltv pool extend vg0 /dev/…', cause });
  assert.instance(error, SltvError);
  assert.instance(error, Error);
  assert.equal(
    [error.kind, error.code, error.message, error.hint, error.cause],
    ['exhausted', 'lvm/no-space', 'vg0 has 1 GiB free', 'sltv pool extend vg0 /dev/…', cause],
  );
});

test('an error of another copy of this module is one of ours, and nothing else is', async () => {
  const copy = `${import.meta.resolve('../../core/errors.ts')}?copy`;
  const other: { coreErrors: typeof coreErrors; SltvError: unknown } = await import(copy);
  const theirs = other.coreErrors('bad-size', 'no size');
  assert.is.not(other.SltvError, SltvError);
  assert.instance(theirs, SltvError);
  assert.is(asSltvError(theirs), theirs);
  for (const alien of [new Error('no size'), { kind: 'invalid', code: 'core/bad-size' }, undefined, null]) {
    assert.not.instance(alien, SltvError);
  }
});

test('an error needs neither hint nor cause', () => {
  const error = coreErrors('internal', 'a defect');
  assert.equal([error.hint, error.cause], [undefined, undefined]);
});

test('the catalogue of an owner can be read', () => {
  const fail = errors('dir', { open: 'busy' });
  assert.equal([fail.namespace, fail.codes], ['dir', { open: 'busy' }]);
});

test('an SltvError stays what it is', () => {
  const error = coreErrors('bad-size', 'no size');
  assert.is(asSltvError(error), error);
});

test('a signal that fired is `cancelled`, one that ran out of time is `timeout`', async () => {
  const timeout = AbortSignal.timeout(0);
  while (!timeout.aborted) await turnOfTheLoop();
  for (const [reason, kind] of [
    [AbortSignal.abort().reason, 'cancelled'],
    [timeout.reason, 'timeout'],
  ] as const) {
    const error = asSltvError(reason);
    assert.is(error.kind, kind);
    assert.is(error.cause, reason);
  }
});

test('what Deno was not told to permit is `denied`, and names the flag', () => {
  const words = 'Requires net access to "unix:/run/s", run again with the --allow-net flag';
  const error = asSltvError(Object.assign(new Error(words), { name: 'NotCapable' }));
  assert.is(error.code, 'core/denied');
  assert.is(error.message, 'Deno does not let sltv have net access to "unix:/run/s"');
  assert.match(error.hint ?? '', 'deno run --allow-net');
});

test('anything else is `internal`, and keeps its words', () => {
  for (const [thrown, words] of [
    [new TypeError('x is not a function'), 'x is not a function'],
    ['a string', 'a string'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ code: 1 }, '[object Object]'],
  ] as const) {
    const error = asSltvError(thrown);
    assert.equal([error.kind, error.code, error.message], ['internal', 'core/internal', words]);
    assert.is(error.cause, thrown);
  }
});

test.run();
