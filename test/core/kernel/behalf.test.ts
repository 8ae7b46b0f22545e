import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createBehalf } from '../../../core/kernel/behalf.ts';

test('core runs on nobody’s behalf', () => {
  assert.is(createBehalf().current(), undefined);
});

test('what a plugin begins and does not wait for runs on its behalf, and on no other’s', async () => {
  const behalf = createBehalf();
  const seen = async () => {
    await new Promise(setImmediate);
    return behalf.current();
  };
  const [mine, yours] = [behalf.run('mine', seen), behalf.run('yours', seen)];
  assert.is(behalf.current(), undefined);
  assert.equal(await Promise.all([mine, yours, seen()]), ['mine', 'yours', undefined]);
});

test('who calls another works on the other’s behalf, until that has answered', () => {
  const behalf = createBehalf();
  const seen = behalf.run('mine', () => [behalf.run('yours', () => behalf.current()), behalf.current()]);
  assert.equal(seen, ['yours', 'mine']);
});

for (const kind of ['unhandledRejection', 'uncaughtException'] as const) {
  test(`an ${kind} is heard of on behalf of who let it go`, async () => {
    const behalf = createBehalf();
    const heard = Promise.withResolvers<string | undefined>();
    process.once(kind, () => heard.resolve(behalf.current()));
    behalf.run('mine', () => {
      if (kind === 'unhandledRejection') void Promise.reject(new Error('dropped'));
      else
        setTimeout(() => {
          throw new Error('thrown');
        }, 1);
    });
    assert.is(await heard.promise, 'mine');
  });
}

test.run();
