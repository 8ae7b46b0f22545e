import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createTurns } from '../../../core/disks/turns.ts';
import { failure } from './house.ts';

const never = { signal: new AbortController().signal };

test('work on one disk is done one after the other, also after a failure', async () => {
  const turns = createTurns();
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.take('d', never, async () => {
    await gate.promise;
    seen.push('first');
    throw new Error('it failed');
  });
  const second = turns.take('d', never, async () => void seen.push('second'));
  await turns.take('other', never, async () => void seen.push('other'));
  assert.ok(turns.isTaken('d'));
  gate.resolve();
  assert.match((await failure(first)).message, 'it failed');
  await second;
  assert.equal(seen, ['other', 'first', 'second']);
});

test('nothing is kept once the last has ended', async () => {
  const turns = createTurns();
  await turns.take('d', never, async () => {});
  await Promise.resolve();
  assert.not(turns.isTaken('d'));
});

test('who was cancelled while waiting does nothing', async () => {
  const turns = createTurns();
  const gate = Promise.withResolvers<void>();
  const cancel = new AbortController();
  const first = turns.take('d', never, () => gate.promise);
  const second = turns.take('d', { signal: cancel.signal }, async () => assert.unreachable());
  cancel.abort();
  gate.resolve();
  await first;
  assert.is((await failure(second)).code, 'core/cancelled');
});

test('who has to wait for the disk is told so, and nobody else is', async () => {
  const turns = createTurns();
  const told: string[] = [];
  const by = (name: string) => ({ ...never, tell: ({ stage }: { stage: string }) => told.push(`${name}: ${stage}`) });
  const gate = Promise.withResolvers<void>();
  const first = turns.take('d', by('first'), () => gate.promise);
  const second = turns.take('d', by('second'), async () => {});
  gate.resolve();
  await Promise.all([first, second]);
  assert.equal(told, ['second: waiting for another operation on the disk']);
});

test.run();
