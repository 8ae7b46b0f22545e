import { Code, ConnectError } from '@connectrpc/connect';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patienceOf } from '../../../core/api/patience.ts';
import { asSltvError, coreErrors } from '../../../core/errors.ts';

/** Work that rejects with this some moments after its signal has fired, under a deadline that passes now. */
async function afterDeadline(error: unknown) {
  const transport = new AbortController();
  const patience = patienceOf(transport.signal);
  const work = Promise.withResolvers<never>();
  patience.signal.addEventListener('abort', () => setTimeout(() => work.reject(error), 10));
  const answer = patience.orGone(work.promise).catch(asSltvError);
  transport.abort(new ConnectError('late', Code.DeadlineExceeded));
  return await answer;
}

test('work that knows what it waited for says so with the deadline', async () => {
  const error = await afterDeadline(coreErrors('cancelled', 'host2 has the lock', { hint: 'sltv node fence host2' }));
  assert.equal(
    [error.code, error.message, error.hint],
    ['core/timeout', 'the deadline of this call has passed: host2 has the lock', 'sltv node fence host2'],
  );
});

test('work that failed for a reason of its own says that', async () => {
  assert.is((await afterDeadline(coreErrors('disk-missing', 'there is no disk a'))).code, 'core/disk-missing');
});

test.run();
